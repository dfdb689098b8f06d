// The log socket as the supervisor and the workers behind it use it.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { LIMITS } from '../../../src/limits.js';
import { LogSink } from '../../../src/router/log-sink.js';
import type { LogStoreOptions } from '../../../src/router/log-store.js';
import { directoryFor, until } from '../../unit/router/spool-support.js';

const LABEL = { worker: '0123456789abcdef', app: 'alice/blog', runtime: 'php' };
const identify = (): { pid: string; request: string } => ({ pid: '4711', request: 'r-1' });
const BASE = { makesDirectories: true, identify, log: { warn: () => undefined } };
const LABEL_LINE = `${JSON.stringify(LABEL)}\n`;

interface Rig {
  readonly sink: LogSink;
  readonly path: string;
  logText(): string;
  open(): Promise<Socket>;
}

async function rigOf(t: TestContext, store: Partial<LogStoreOptions> = {}): Promise<Rig> {
  const directory = directoryFor(t);
  mkdirSync(join(directory, 'log'));
  const path = join(directory, 'log.sock');
  const logDirectory = join(directory, 'log');
  const sink = new LogSink({ ...BASE, socketPath: path, logDirectory, store });
  await sink.start();
  t.after(() => sink.stop());
  const open = async (): Promise<Socket> => {
    const socket = connect(path);
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  };
  const logText = (): string => readFileSync(join(directory, 'log/alice/blog.log'), 'utf8');
  return { sink, path, logText, open };
}

test('the socket is there for owner and group only, in the place of a stale one', async (t) => {
  const directory = directoryFor(t);
  const path = join(directory, 'log.sock');
  writeFileSync(path, 'stale');
  writeFileSync(`${path}.${process.pid}`, 'stale');
  const umask = process.umask(0o022);
  t.after(() => process.umask(umask));
  const sink = new LogSink({ ...BASE, socketPath: path, logDirectory: directory });
  await sink.start();
  assert.equal(statSync(path).isSocket(), true);
  assert.equal(statSync(path).mode & 0o777, 0o660);
  assert.equal(process.umask(0o022), 0o022);
  await sink.stop();
  assert.throws(() => statSync(path), { code: 'ENOENT' });
});

test('one that stops leaves the socket of its successor alone', async (t) => {
  const directory = directoryFor(t);
  const path = join(directory, 'log.sock');
  const [former, successor] = [1, 2].map(
    () => new LogSink({ ...BASE, socketPath: path, logDirectory: directory }),
  ) as [LogSink, LogSink];
  await former.start();
  await successor.start();
  await former.stop();
  assert.equal(statSync(path).isSocket(), true);
  await successor.stop();
  assert.throws(() => statSync(path), { code: 'ENOENT' });
});

test('what a worker writes is in the log of its application, an unfinished line too', async (t) => {
  const rig = await rigOf(t);
  const socket = await rig.open();
  socket.end(`${LABEL_LINE}hello\n\x1b[31mred\nlast`);
  await until(() => rig.sink.lastLines('alice/blog').length === 3);
  await rig.sink.stop();
  assert.deepEqual(
    rig
      .logText()
      .trimEnd()
      .split('\n')
      .map((line) => line.replace(/^\S+Z /, '')),
    ['hello', '\\x1b[31mred', 'last'].map((text) => `4711 r-1 output ${text}`),
  );
});

test('a worker that was asked for without a runtime is logged all the same', async (t) => {
  const rig = await rigOf(t);
  const socket = await rig.open();
  socket.write(`${JSON.stringify({ ...LABEL, runtime: '' })}\nhello\n`);
  await until(() => rig.sink.lastLines('alice/blog').length === 1);
});

test('a label may come byte by byte', async (t) => {
  const rig = await rigOf(t);
  const socket = await rig.open();
  for (const char of `${LABEL_LINE}x\n`) {
    socket.write(char);
    await new Promise((done) => setImmediate(done));
  }
  await until(() => rig.sink.lastLines('alice/blog').length === 1);
});

for (const [what, label] of [
  ['no JSON', 'hello\n'],
  ['no object', 'null\n'],
  ['a path for an application', `${JSON.stringify({ ...LABEL, app: '../etc/x' })}\n`],
  ['another key', `${JSON.stringify({ ...LABEL, x: 1 })}\n`],
  ['a key missing', `${JSON.stringify({ worker: LABEL.worker, app: LABEL.app })}\n`],
  ['a worker that is no id', `${JSON.stringify({ ...LABEL, worker: 'x y' })}\n`],
  ['too many bytes', 'x'.repeat(LIMITS.logLabelMaxBytes + 1)],
] as const) {
  test(`a label with ${what} ends the connection`, async (t) => {
    const rig = await rigOf(t);
    const socket = await rig.open();
    socket.write(label);
    await once(socket, 'close');
    assert.equal(rig.sink.refusedCount, 1);
  });
}

test('a connection without a label ends at its deadline', async (t) => {
  const rig = await rigOf(t);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const socket = await rig.open();
  await until(() => rig.sink.connectionsCount === 1);
  t.mock.timers.tick(LIMITS.logLabelDeadlineMs - 1);
  assert.equal(socket.destroyed, false);
  t.mock.timers.tick(1);
  await once(socket, 'close');
  assert.equal(rig.sink.refusedCount, 1);
});

test('a flood is read slowly, counted, and costs no memory; other applications are not concerned (T86)', async (t) => {
  const rig = await rigOf(t, { rate: { perS: 200_000, burst: 100_000 } });
  const socket = await rig.open();
  const calm = await rig.open();
  socket.write(LABEL_LINE);
  calm.write(`${JSON.stringify({ ...LABEL, app: 'bob/shop' })}\n`);
  const line = Buffer.from(`${'x'.repeat(99)}\n`.repeat(600));
  let isFlooding = true;
  let sentBytes = 0;
  const flood = (): void => {
    if (isFlooding) socket.write(line, () => setImmediate(flood));
    sentBytes += line.length;
  };
  const before = process.memoryUsage.rss();
  flood();
  await until(() => rig.sink.droppedBytes > 1_000_000);
  calm.write('calm\n');
  await until(() => rig.sink.lastLines('bob/shop').length === 1);
  isFlooding = false;
  assert.ok(sentBytes - rig.sink.droppedBytes < 4 * 1024 * 1024);
  assert.ok(process.memoryUsage.rss() - before < 64 * 1024 * 1024);
  socket.destroy();
  await until(() => rig.sink.connectionsCount === 1);
  await rig.sink.stop();
  assert.match(rig.logText(), /usherd dropped \d+ bytes\n/);
  assert.ok(rig.logText().length < 2_000_000);
});

test('lines that come as FCGI_STDERR join the log', async (t) => {
  const rig = await rigOf(t);
  const about = { worker: LABEL.worker, request: 'r-2' };
  rig.sink.write('alice/blog', Buffer.from('PHP Warning: x\nin y'), about);
  rig.sink.write('alice/blog', Buffer.from('PHP Notice'), about);
  assert.deepEqual(rig.sink.lastLines('alice/blog'), ['PHP Warning: x', 'in y', 'PHP Notice']);
  await rig.sink.stop();
  assert.match(rig.logText(), /Z 4711 r-2 stderr in y\n\S+Z 4711 r-2 stderr PHP Notice\n$/);
});

test('a path that is too long for a socket is refused before anything is bound', async (t) => {
  const directory = directoryFor(t);
  const socketPath = join(directory, 'x'.repeat(100));
  const sink = new LogSink({ ...BASE, socketPath, logDirectory: directory });
  await assert.rejects(sink.start(), { code: 'E_STARTUP_SOCKET' });
});

test('a directory that does not exist is an error of the socket', async () => {
  const sink = new LogSink({ ...BASE, socketPath: '/nonexistent/log.sock', logDirectory: '/' });
  await assert.rejects(sink.start(), { code: 'E_STARTUP_SOCKET' });
});
