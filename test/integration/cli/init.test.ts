// `usherd run` with two real children: kept alive, told, stopped in order.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Init } from '../../../src/cli/init.js';
import { findSetpriv } from '../../../src/cli/system-tools.js';
import { ExitCode } from '../../../src/errors.js';
import { createLogger } from '../../../src/log.js';
import { scratchDirectory } from '../../support/scratch.js';
import { waitFor } from '../../support/wait-for.js';

const SERVICE = join(import.meta.dirname, '../../fixtures/services/service.js');

/** An Init whose children note what happens to them. */
class Rig {
  readonly init: Init;
  readonly #file: string;

  constructor(t: TestContext, supervisor: string, router: string) {
    this.#file = join(scratchDirectory(t), 'notes');
    const argv = (behaviour: string, name: string): readonly string[] => [
      ...[process.execPath, SERVICE, behaviour, name, this.#file],
    ];
    const argvs = { supervisor: argv(supervisor, 'supervisor'), router: argv(router, 'router') };
    this.init = new Init(argvs, createLogger('silent', 'usherd'));
    // Also after a failed assertion: children would keep the test process waiting.
    t.after(() => this.init.stop());
  }

  notes(): readonly string[] {
    if (!existsSync(this.#file)) return [];
    return readFileSync(this.#file, 'utf8').trimEnd().split('\n');
  }

  async noted(count: number, pattern: RegExp): Promise<readonly string[]> {
    return waitFor(`${count} notes like ${String(pattern)}`, () => {
      const found = this.notes().filter((note) => pattern.test(note));
      return found.length >= count && found;
    });
  }
}

test('the router drains and ends before the supervisor is told to end', async (t) => {
  const rig = new Rig(t, 'serves', 'drains');
  const run = rig.init.run();
  await rig.noted(2, /started/);
  rig.init.stop();
  assert.equal(await run, ExitCode.OK);
  assert.deepEqual(rig.notes().slice(2), [
    'router terminating',
    'router ended',
    'supervisor terminating',
    'supervisor ended',
  ]);
});

test('a child that is killed comes back, the other one stays', async (t) => {
  const rig = new Rig(t, 'serves', 'serves');
  const run = rig.init.run();
  const [first = ''] = (await rig.noted(2, /started/)).filter((note) => note.startsWith('router'));
  process.kill(Number(first.split(' ').at(-1)), 'SIGKILL');
  await rig.noted(2, /^router started/);
  assert.equal(rig.notes().filter((note) => note.startsWith('supervisor')).length, 1);
  rig.init.stop();
  assert.equal(await run, ExitCode.OK);
});

test('when one child says that nothing will help, everything stops with the same word', async (t) => {
  const rig = new Rig(t, 'is-permanent', 'serves');
  assert.equal(await rig.init.run(), ExitCode.PERMANENT);
});

test('stopping between two lives of a child that always fails ends', async (t) => {
  const rig = new Rig(t, 'fails', 'serves');
  const run = rig.init.run();
  await rig.noted(1, /^router started/);
  rig.init.stop();
  assert.equal(await run, ExitCode.OK);
});

test('a program that is not there is tried again and can still be stopped', async () => {
  const missing = ['/nonexistent/program'];
  const argvs = { supervisor: missing, router: missing };
  const init = new Init(argvs, createLogger('silent', 'usherd'));
  const run = init.run();
  init.stop();
  assert.equal(await run, ExitCode.OK);
});

test('a reload reaches the supervisor alone', async (t) => {
  const rig = new Rig(t, 'serves', 'serves');
  const run = rig.init.run();
  await rig.noted(2, /started/);
  rig.init.reload();
  assert.deepEqual(await rig.noted(1, /reload/), ['supervisor reload']);
  rig.init.stop();
  await run;
});

test('children get an environment of constants, the root directory, and a session of their own', async (t) => {
  const rig = new Rig(t, 'tells-status', 'serves');
  const run = rig.init.run();
  const [note = ''] = await rig.noted(1, /^supervisor \{/);
  const told = JSON.parse(note.slice('supervisor '.length)) as Record<string, string>;
  // Node itself hands this one on where coverage is measured; bin/usherd takes it away.
  const variables = told['variables']?.replace('NODE_V8_COVERAGE,', '');
  assert.equal(variables, 'LANG,PATH,UV_THREADPOOL_SIZE');
  assert.equal(told['cwd'], '/');
  const [started = ''] = await rig.noted(1, /^supervisor started/);
  const pid = started.split(' ').at(-1) ?? '';
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /s, '')
    .split(' ');
  assert.equal(stat[3], pid, 'the session of proc(5)');
  rig.init.stop();
  await run;
});

test('a child does not outlive a parent that was killed', async (t) => {
  const setpriv = await findSetpriv();
  if (setpriv?.knowsParentDeathSignal !== true) {
    t.skip('this setpriv does not know --pdeathsig');
    return;
  }
  const file = join(scratchDirectory(t), 'notes');
  const child = [setpriv.path, '--pdeathsig=TERM', '--', process.execPath, SERVICE];
  const words = JSON.stringify([...child, 'serves', 'child', file]);
  const script = `const [f, ...a] = ${words}; require('node:child_process').spawn(f, a, { detached: true });`;
  const parent = spawn(process.execPath, ['-e', script], { stdio: 'ignore' });
  const notes = (): string => (existsSync(file) ? readFileSync(file, 'utf8') : '');
  await waitFor('the child runs', () => notes().includes('started'));
  const exited = once(parent, 'exit');
  parent.kill('SIGKILL');
  await exited;
  await waitFor('the child has ended', () => notes().includes('ended'));
});
