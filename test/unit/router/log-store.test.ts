// Logs of applications: prefixes, rates, turning over, and what happens when the disk says no.
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { LIMITS } from '../../../src/limits.js';
import { LogFiles } from '../../../src/router/log-files.js';
import { LogStore, type LogOrigin, type LogStoreOptions } from '../../../src/router/log-store.js';
import { directoryFor, until } from './spool-support.js';

const ORIGIN: LogOrigin = { pid: '4711', request: 'a1b2-3', stream: 'output' };
const START_MS = Date.UTC(2026, 0, 2, 3, 4, 5, 6);
const PREFIX = '2026-01-02T03:04:05.006Z 4711 a1b2-3 output ';

interface Rig {
  readonly store: LogStore;
  readonly files: LogFiles;
  readonly directory: string;
  readonly warnings: object[];
  readonly clock: { nowMs: number };
  add(app: string, text: string): void;
  textOf(file: string): string;
}

interface Changes extends LogStoreOptions {
  readonly directory?: string;
  readonly fileMaxBytes?: number;
}

function rigOf(t: TestContext, changes: Changes = {}): Rig {
  const { directory = directoryFor(t), fileMaxBytes = LIMITS.logFileMaxBytes, ...rest } = changes;
  const warnings: object[] = [];
  const clock = { nowMs: START_MS };
  const now = (): number => clock.nowMs;
  const log = { warn: (fields: object): unknown => warnings.push(fields) };
  const files = new LogFiles({ directory, makesDirectories: true, log, now, fileMaxBytes });
  const store = new LogStore(files, { now, ...rest });
  return {
    store,
    files,
    directory,
    warnings,
    clock,
    add: (app, text) => store.addLine(app, ORIGIN, Buffer.from(text)),
    textOf: (file) => readFileSync(join(directory, file), 'utf8'),
  };
}

test('a line has time, process, request and stream before it, in the file of its application', async (t) => {
  const rig = rigOf(t);
  rig.add('alice/blog', 'hello');
  rig.add('bob/shop', 'other');
  await rig.files.close();
  assert.equal(rig.textOf('alice/blog.log'), `${PREFIX}hello\n`);
  assert.equal(rig.textOf('bob/shop.log'), `${PREFIX}other\n`);
});

test('a tenant cannot write a line that looks like one of ours (T86)', async (t) => {
  const rig = rigOf(t);
  rig.add('alice/blog', '2026-01-02T03:04:05.006Z - - usherd dropped 1 bytes');
  await rig.files.close();
  for (const line of rig.textOf('alice/blog.log').trimEnd().split('\n')) {
    assert.ok(line.startsWith(PREFIX));
  }
});

test('a directory lets in its group and nobody else, and whoever is in may read, whatever the umask', async (t) => {
  const umask = process.umask(0o077);
  t.after(() => process.umask(umask));
  const rig = rigOf(t);
  rig.add('alice/blog', 'x');
  await rig.files.close();
  assert.equal(statSync(join(rig.directory, 'alice')).mode & 0o027, 0);
  assert.equal(statSync(join(rig.directory, 'alice/blog.log')).mode & 0o777, 0o644);
});

test('where the supervisor makes the directories, a user without one has no log', async (t) => {
  const directory = directoryFor(t);
  const log = { warn: (): void => undefined };
  const files = new LogFiles({
    ...{ directory, makesDirectories: false, log },
    ...{ now: Date.now, fileMaxBytes: LIMITS.logFileMaxBytes },
  });
  assert.equal(files.append('alice/blog', 'log', 'x\n'), 'taken');
  await until(() => files.pendingBytes === 0);
  assert.equal(files.lostBytes, 2);
  assert.equal(existsSync(join(directory, 'alice')), false);
  await files.close();
});

test('what one user has waiting for the disk leaves room for the others', async (t) => {
  const { files } = rigOf(t);
  const line = 'x'.repeat(LIMITS.logPendingMaxBytes);
  for (let n = 0; n < 100; n += 1) files.append(`alice/a${n}`, 'log', line);
  assert.equal(files.pendingBytes, LIMITS.logPendingPerUserMaxBytes);
  assert.equal(files.append('bob/shop', 'log', 'x\n'), 'taken');
  await until(() => files.pendingBytes === 0);
  assert.equal(files.append('alice/a0', 'log', line), 'taken', 'all was given back');
  await files.close();
});

test('the kinds of logs of one application, and of another with a confusing name, are files of their own', async (t) => {
  const rig = rigOf(t);
  for (const app of ['a/x', 'a/x.access', 'a/x.log']) {
    for (const kind of ['log', 'access', 'slow'] as const) {
      rig.files.append(app, kind, `${app} ${kind}\n`);
    }
  }
  await rig.files.close();
  const names = readdirSync(join(rig.directory, 'a'));
  assert.equal(names.length, 9);
  for (const name of names) assert.equal(rig.textOf(`a/${name}`).split('\n').length, 2);
});

test('usherd itself says a bounded number of lines about an application', async (t) => {
  const rig = rigOf(t, { noteRate: { perS: 1, burst: 2 } });
  for (let i = 0; i < 5; i += 1) rig.store.note('alice/blog', { request: 'r-1' }, `note ${i}`);
  rig.clock.nowMs += 1_000;
  rig.store.note('alice/blog', { pid: '7' }, 'after\n\u001b');
  await rig.files.close();
  const lines = rig.textOf('alice/blog.log').trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line) => line.replace(/^\S+Z /, '')),
    [
      ...['- r-1 usherd note 0', '- r-1 usherd note 1'],
      ...['7 - usherd left out 3 lines like these', '7 - usherd after\\x0a\\x1b'],
    ],
  );
  assert.deepEqual(rig.store.lastLines('alice/blog'), []);
});

test('an existing log is continued', async (t) => {
  const rig = rigOf(t);
  mkdirSync(join(rig.directory, 'alice'));
  writeFileSync(join(rig.directory, 'alice/blog.log'), 'before\n');
  rig.add('alice/blog', 'after');
  await rig.files.close();
  assert.equal(rig.textOf('alice/blog.log'), `before\n${PREFIX}after\n`);
});

test('lines keep their order however fast they come', async (t) => {
  const rig = rigOf(t);
  for (let i = 0; i < 5_000; i += 1) rig.add('alice/blog', String(i));
  await rig.files.close();
  const seen = rig.textOf('alice/blog.log').trimEnd().split('\n');
  assert.deepEqual(
    seen,
    Array.from({ length: 5_000 }, (_, i) => PREFIX + String(i)),
  );
});

test('a full file is turned over, three are kept, no line is lost between them', async (t) => {
  const rig = rigOf(t, { fileMaxBytes: 500 });
  for (let i = 0; i < 40; i += 1) {
    rig.add('alice/blog', `line ${i}`);
    await until(() => rig.files.pendingBytes === 0);
  }
  await rig.files.close();
  assert.equal(existsSync(join(rig.directory, 'alice/blog.log.3')), false);
  const kept = ['blog.log.2', 'blog.log.1', 'blog.log']
    .map((f) => rig.textOf(`alice/${f}`))
    .join('');
  const numbers = kept
    .trimEnd()
    .split('\n')
    .map((line) => Number(line.split(' ').at(-1)));
  assert.equal(numbers.at(-1), 39);
  numbers.forEach((n, i) => assert.equal(n, (numbers[0] ?? 0) + i));
  assert.ok(numbers.length >= 15);
});

test('over the rate bytes are dropped, counted, and said in the log', async (t) => {
  const rig = rigOf(t, { rate: { perS: 100, burst: 100 } });
  assert.equal(rig.store.admit('alice/blog', 100), true);
  assert.equal(rig.store.admit('alice/blog', 60), false);
  assert.equal(rig.store.admit('alice/blog', 7), false);
  assert.equal(rig.store.admit('bob/shop', 100), true);
  rig.clock.nowMs += 1_000;
  assert.equal(rig.store.admit('alice/blog', 100), true);
  rig.add('alice/blog', 'again');
  await rig.files.close();
  assert.match(rig.textOf('alice/blog.log'), /Z - - usherd dropped 67 bytes\n.* output again\n$/);
  assert.equal(rig.store.droppedBytes, 67);
});

test('what was dropped last is said even if nothing follows', async (t) => {
  const rig = rigOf(t, { rate: { perS: 1, burst: 1 } });
  rig.store.admit('alice/blog', 5);
  rig.store.settle('alice/blog');
  rig.store.settle('alice/blog');
  rig.store.settle('nobody/nothing');
  await rig.files.close();
  assert.match(rig.textOf('alice/blog.log'), /^\S+ - - usherd dropped 5 bytes\n$/);
});

test('what waits for the disk is bounded, the rest is dropped and counted', async (t) => {
  const rig = rigOf(t);
  const line = 'x'.repeat(8_000);
  for (let i = 0; i < 300; i += 1) rig.add('alice/blog', line);
  assert.ok(rig.files.pendingBytes <= LIMITS.logPendingMaxBytes);
  assert.ok(rig.store.droppedBytes > 1_000_000);
  await rig.files.close();
  assert.equal(rig.files.pendingBytes, 0);
});

test('the last lines are kept short and few', (t) => {
  const rig = rigOf(t);
  for (let i = 0; i < 30; i += 1) rig.add('alice/blog', `${i} ${'x'.repeat(1_000)}`);
  const lines = rig.store.lastLines('alice/blog');
  assert.equal(lines.length, LIMITS.errorPageLinesMaxCount);
  assert.match(lines.at(-1) ?? '', /^29 x+$/);
  assert.ok(lines.every((line) => line.length === LIMITS.errorPageLineMaxChars));
  assert.deepEqual(rig.store.lastLines('bob/shop'), []);
});

test('the applications remembered are bounded, the longest silent goes first', async (t) => {
  const rig = rigOf(t);
  rig.add('a/first', 'x');
  rig.add('a/second', 'x');
  for (let i = 0; i < LIMITS.logAppsMaxCount - 2; i += 1) rig.store.admit(`b/app${i}`, 1);
  rig.store.admit('a/first', 1);
  rig.store.admit('c/one-more', 1);
  assert.deepEqual(rig.store.lastLines('a/second'), []);
  assert.deepEqual(rig.store.lastLines('a/first'), ['x']);
  await rig.files.close();
});

test('a symbolic link in the place of a log is not followed', async (t) => {
  const rig = rigOf(t);
  mkdirSync(join(rig.directory, 'alice'));
  const target = join(rig.directory, 'target');
  writeFileSync(target, 'mine');
  symlinkSync(target, join(rig.directory, 'alice/blog.log'));
  rig.add('alice/blog', 'x');
  await rig.files.close();
  assert.equal(readFileSync(target, 'utf8'), 'mine');
  assert.equal(rig.warnings.length, 1);
  assert.ok(rig.files.lostBytes > 0);
});

test('when no log can be written there is one warning, and lines are counted', async (t) => {
  const rig = rigOf(t, { directory: '/proc/nowhere' });
  rig.add('alice/blog', 'x');
  await until(() => rig.warnings.length > 0);
  rig.add('alice/blog', 'y');
  rig.add('bob/shop', 'z');
  await until(() => rig.files.pendingBytes === 0);
  assert.equal(rig.warnings.length, 1);
  assert.equal(rig.files.lostBytes, `${PREFIX}x\n`.length * 3);
  assert.deepEqual(rig.store.lastLines('alice/blog'), ['x', 'y']);
  await rig.files.close();
});

test('a log that could not be written is tried again, but not at every line', async (t) => {
  const rig = rigOf(t);
  const obstacle = join(rig.directory, 'alice');
  writeFileSync(obstacle, 'in the way');
  rig.add('alice/blog', 'lost');
  await until(() => rig.warnings.length > 0 && rig.files.pendingBytes === 0);
  rmSync(obstacle);
  rig.add('alice/blog', 'lost too');
  assert.equal(rig.files.pendingBytes, 0);
  rig.clock.nowMs += LIMITS.logRetryMs;
  rig.add('alice/blog', 'kept');
  await rig.files.close();
  assert.match(rig.textOf('alice/blog.log'), /^\S+ \S+ \S+ output kept\n$/);
});

test('the warning comes again after its interval', async (t) => {
  const rig = rigOf(t, { directory: '/proc/nowhere' });
  rig.add('alice/blog', 'x');
  await until(() => rig.warnings.length === 1);
  rig.clock.nowMs += LIMITS.logWarningIntervalMs;
  rig.add('alice/blog', 'y');
  await until(() => rig.warnings.length === 2);
  await rig.files.close();
});

test('names that are no application ids never become paths', (t) => {
  const rig = rigOf(t);
  for (const app of ['../etc', 'alice', 'alice/..', 'alice/../x', '/x', 'a/b/c', 'a/B']) {
    assert.throws(() => rig.store.admit(app, 1), TypeError);
  }
});
