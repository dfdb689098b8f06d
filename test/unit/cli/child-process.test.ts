// Real children of `usherd run`, and those that cannot be started.
import assert from 'node:assert/strict';
import { ChildProcess } from 'node:child_process';
import { test } from 'node:test';
import type { Child, ChildExit } from '../../../src/cli/child-keeper.js';
import { startChild } from '../../../src/cli/child-process.js';
import { ExitCode } from '../../../src/errors.js';

/** How it ended, with what was done at once after its start. */
const exitOf = (argv: readonly string[], use: (child: Child) => void): Promise<ChildExit> =>
  new Promise((resolve) => use(startChild(argv, resolve)));

test('a program that could not be started is sent no signal, because it has no pid', async (t) => {
  const kill = t.mock.method(ChildProcess.prototype, 'kill', () => true);
  const exit = await exitOf(['/nonexistent/program'], (child) => {
    assert.equal(child.pid, undefined);
    child.signal('SIGTERM');
  });
  assert.equal(kill.mock.callCount(), 0);
  assert.deepEqual(exit, { by: 'code', code: ExitCode.TEMPORARY, signal: '' });
});

test('one that runs gets it', async () => {
  const exit = await exitOf(['/bin/sleep', '60'], (child) => child.signal('SIGTERM'));
  assert.deepEqual(exit, { by: 'signal', code: 0, signal: 'SIGTERM' });
});

test('one has what it needs of an environment, what it is given, and nothing else', async () => {
  const script = 'test "$GIVEN" = yes && test -n "$PATH" && test -z "${NAME_OF_TEST+set}"';
  process.env['NAME_OF_TEST'] = 'set';
  const exit = await new Promise<ChildExit>((resolve) => {
    startChild(['/bin/sh', '-c', script], resolve, { GIVEN: 'yes' });
  });
  delete process.env['NAME_OF_TEST'];
  assert.deepEqual(exit, { by: 'code', code: 0, signal: '' });
});
