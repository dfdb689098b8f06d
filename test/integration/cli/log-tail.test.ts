// The end of a log file and what is added to it, as `usherd logs` reads it.
import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { LogTail } from '../../../src/cli/log-tail.js';
import { scratchDirectory } from '../../support/scratch.js';

function tailOf(t: TestContext): { readonly path: string; readonly tail: LogTail } {
  const path = join(scratchDirectory(t), 'x.log');
  const tail = new LogTail(path);
  t.after(() => tail.close());
  return { path, tail };
}

test('the last lines are whole lines, as many as were asked for', async (t) => {
  const { path, tail } = tailOf(t);
  writeFileSync(path, 'one\ntwo\nthree\n');
  assert.equal(await tail.last(2), 'two\nthree\n');
  assert.equal(await tail.more(), '');
  appendFileSync(path, 'four\n');
  assert.equal(await tail.more(), 'four\n');
});

test('of a file that is larger than what is read, no line is cut', async (t) => {
  const { path, tail } = tailOf(t);
  writeFileSync(path, `${'x'.repeat(2_000_000)}\nlast\n`);
  assert.equal(await tail.last(10), 'last\n');
});

test('a file that comes later is read from its beginning', async (t) => {
  const { path, tail } = tailOf(t);
  assert.equal(await tail.last(5), undefined);
  assert.equal(await tail.more(), '');
  writeFileSync(path, 'first\n');
  assert.equal(await tail.more(), 'first\n');
});

test('after a turning over nothing of the old file is lost and the new one follows', async (t) => {
  const { path, tail } = tailOf(t);
  writeFileSync(path, 'a\n');
  await tail.last(5);
  appendFileSync(path, 'b\n');
  renameSync(path, `${path}.1`);
  writeFileSync(path, 'c\n');
  assert.equal(await tail.more(), 'b\n');
  assert.equal(await tail.more(), 'c\n');
  assert.equal(await tail.more(), '');
});

test('control bytes do not reach the terminal, whoever wrote them', async (t) => {
  const { path, tail } = tailOf(t);
  writeFileSync(path, 'a\u001b[2J\u202eb\tc\u009b\n');
  assert.equal(await tail.last(1), 'a?[2J?b\tc?\n');
});

test('a link or a directory in its place is not read', async (t) => {
  const { path, tail } = tailOf(t);
  symlinkSync('/etc/passwd', path);
  await assert.rejects(tail.last(1), { code: 'ELOOP' });
  mkdirSync(`${path}.d`);
  await assert.rejects(new LogTail(`${path}.d`).last(1), /is not a file/);
});
