// `usherd ready`: says yes to an answer only, never to a socket that merely accepts; gives up when told to.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { askRouter } from '../../../src/cli/router-probe.js';
import { isUsherdError } from '../../../src/errors.js';
import { IPC_PROTOCOL } from '../../../src/ipc/index.js';
import { RouterRig } from '../../support/router-rig.js';
import { scratchDirectory } from '../../support/scratch.js';

const MAIN = join(import.meta.dirname, '../../../src/main.js');
const GIVE_UP_MS = 60_000;

interface Ended {
  readonly code: number | null;
  readonly stderr: string;
}

/** Runs the command against a run directory and a front socket. */
async function ready(directory: string, args: readonly string[]): Promise<Ended> {
  const file = join(directory, 'usherd.toml');
  const front = join(directory, 'front.sock');
  writeFileSync(
    file,
    `[paths]\nrun = "${directory}"\n[front]\nsockets = [{ path = "${front}", group = "root" }]\n`,
  );
  const argv = [MAIN, 'ready', ...args, '--config', file];
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stderr };
}

async function listening(
  t: TestContext,
  path: string,
  serve: (socket: Socket) => void,
): Promise<void> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    serve(socket);
  });
  server.listen(path);
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
}

const answersPing = (socket: Socket): void =>
  void socket.once('data', () => socket.end('{"ok":true,"result":{}}\n'));

async function problem(promise: Promise<void>): Promise<string> {
  try {
    await promise;
  } catch (err) {
    if (isUsherdError(err)) return err.message;
    throw err;
  }
  return 'answered';
}

test('a router that serves answers the question', async (t) => {
  const rig = await RouterRig.start({ withoutSupervisor: true });
  t.after(() => rig.stop());
  await askRouter(rig.frontPath, GIVE_UP_MS);
});

test('a socket that accepts and says nothing is no router', async (t) => {
  const path = join(scratchDirectory(t), 'front.sock');
  await listening(t, path, () => undefined);
  assert.match(await problem(askRouter(path, 50)), /no answer within 50 ms/);
});

test('what is no FastCGI, another record, an end and nobody at all are no router', async (t) => {
  const directory = scratchDirectory(t);
  const answer = async (name: string, bytes: Buffer): Promise<string> => {
    const path = join(directory, name);
    await listening(t, path, (socket) => socket.end(bytes));
    return problem(askRouter(path, GIVE_UP_MS));
  };
  assert.match(await answer('http.sock', Buffer.from('HTTP/1.1 400 Bad\r\n\r\n')), /no FastCGI/);
  const endRequest = Buffer.from('0103000000080000' + '0000000000000000', 'hex');
  assert.match(await answer('other.sock', endRequest), /a record of type 3/);
  assert.match(await answer('silent.sock', Buffer.alloc(0)), /closed without an answer/);
  assert.match(await problem(askRouter(join(directory, 'none.sock'), GIVE_UP_MS)), /ENOENT/);
});

test('the command waits for a supervisor that comes late', async (t) => {
  const directory = scratchDirectory(t);
  const waiting = ready(directory, ['supervisor', '--timeout', '1m']);
  await listening(t, join(directory, 'control.sock'), answersPing);
  assert.deepEqual(await waiting, { code: 0, stderr: '' });
});

test('after an upgrade it says whether the supervisor that runs understands the installed router', async (t) => {
  const directory = scratchDirectory(t);
  let result = `{"version":"1","protocol":${IPC_PROTOCOL}}`;
  await listening(t, join(directory, 'control.sock'), (socket) => {
    socket.once('data', () => socket.end(`{"ok":true,"result":${result}}\n`));
  });
  const matching = (): Promise<Ended> =>
    ready(directory, ['supervisor', '--matching', '--timeout', '10s']);
  assert.equal((await matching()).code, 0);
  result = `{"version":"2","protocol":${IPC_PROTOCOL + 1}}`;
  const { code, stderr } = await matching();
  assert.equal(code, 111);
  assert.match(stderr, /both need a restart/);
  result = '{"version":"0"}'; // of a time when it was not said
  assert.equal((await matching()).code, 111);
  assert.equal((await ready(directory, ['supervisor', '--timeout', '10s'])).code, 0);
});

test('without a name both have to answer', async (t) => {
  const directory = scratchDirectory(t);
  await listening(t, join(directory, 'control.sock'), answersPing);
  const { code, stderr } = await ready(directory, ['--timeout', '50ms']);
  assert.equal(code, 111);
  assert.match(stderr, /E_CONTROL.*front\.sock/);
});

test('both have to know each other', async (t) => {
  const rig = await RouterRig.start({ withoutSupervisor: true });
  t.after(() => rig.stop());
  const directory = scratchDirectory(t);
  symlinkSync(rig.frontPath, join(directory, 'front.sock'));
  let asked = 0;
  await listening(t, join(directory, 'control.sock'), (socket) => {
    asked += 1;
    const result = { version: '1', router: asked > 3 };
    socket.once('data', () => socket.end(`${JSON.stringify({ ok: true, result })}\n`));
  });
  assert.deepEqual(await ready(directory, ['--timeout', '1m']), { code: 0, stderr: '' });
  assert.equal(asked, 4);
});

test('it gives up at once when the process that it waits for is gone', async (t) => {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  const args = ['supervisor', '--timeout', '10m', '--pid', String(child.pid)];
  const { code, stderr } = await ready(scratchDirectory(t), args);
  assert.equal(code, 111);
  assert.match(stderr, /the supervisor has ended/);
});

test('a part that there is not, and a timeout that is none, are mistakes', async (t) => {
  const directory = scratchDirectory(t);
  assert.equal((await ready(directory, ['gateway'])).code, 100);
  assert.equal((await ready(directory, ['--timeout', 'soon'])).code, 100);
});
