// What a supervisor asserts before it serves, and what becomes of a launch when somebody interferes with it.
import assert from 'node:assert/strict';
import { spawn, spawnSync, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findTools, runCanary, type Tools } from '../../../src/privdrop/index.js';
import { closeInheritedDescriptors, launch, type LaunchOutcome } from '../../support/launch.js';
import { needsRoot } from '../../support/needs-root.js';
import { A_UID, planFor, TenantTree } from '../../support/tenants.js';

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../../fixtures/privdrop/${name}.js`, import.meta.url));

const NEEDED = '--bounding-set=-all,+setuid,+setgid,+setpcap,+kill,+chown';

/** The first line a fixture says, and the rest. */
function outputOf(setpriv: readonly string[], name: string): readonly string[] {
  const args = [...setpriv, process.execPath, fixture(name)];
  const { stdout } = spawnSync('/usr/bin/setpriv', args, { encoding: 'utf8', cwd: '/' });
  return stdout.trim().split('\n');
}

describe('a supervisor', { skip: needsRoot }, () => {
  before(closeInheritedDescriptors);

  it('closes every inherited descriptor that workers would get, and names them (T48)', () => {
    const descriptor = openSync('/dev/null', 'r');
    const stdio: StdioOptions = Array.from({ length: 201 }, () => 'ignore');
    // 'ignore' leaves numbers from 3 on closed, so these are the only ones.
    for (const number of [17, 30, 200]) stdio[number] = descriptor;
    stdio[1] = 'pipe';
    const args = [fixture('assert-descriptors')];
    const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8', stdio });
    closeSync(descriptor);
    assert.equal(stdout, 'closed 17 30 200; then \nfine\n');
  });

  it('finds none of its own', () => {
    const { stdout } = spawnSync(process.execPath, [fixture('assert-descriptors')]);
    assert.equal(stdout.toString(), 'closed ; then \nfine\n');
  });

  it('holds exactly five capabilities', () => {
    assert.deepEqual(outputOf([NEEDED], 'assert-capabilities'), ['fine']);
    for (const set of [`${NEEDED},+fowner`, NEEDED.replace(',+kill', '')]) {
      assert.equal(outputOf([set], 'assert-capabilities')[0], 'E_STARTUP_CAPABILITIES');
    }
  });

  it('passes the canary with these five', () => {
    assert.deepEqual(outputOf([NEEDED], 'canary'), ['fine']);
  });

  it('fails the canary without CAP_SETPCAP, although setpriv says nothing (T26)', () => {
    const [code, ...rules] = outputOf([NEEDED.replace(',+setpcap', '')], 'canary');
    assert.equal(code, 'E_STARTUP_CANARY');
    assert.ok(rules.some((rule) => rule.startsWith('drop-capbnd')));
  });

  it('fails the canary without CAP_SETUID or CAP_SETGID', () => {
    for (const missing of [',+setuid', ',+setgid']) {
      assert.equal(outputOf([NEEDED.replace(missing, '')], 'canary')[0], 'E_STARTUP_CANARY');
    }
  });

  it('fails the canary when a program of the chain is missing', async () => {
    const code = { code: 'E_STARTUP_CANARY' };
    const plan = planFor(A_UID);
    for (const tool of ['prlimit', 'setpriv', 'sh'] as const) {
      await assert.rejects(runCanary(plan, { ...findTools(), [tool]: '/nonexistent' }), code);
    }
  });
});

describe('a launch', { skip: needsRoot }, () => {
  let tree: TenantTree;
  let tools: Tools;
  let directory: string;
  before(() => {
    closeInheritedDescriptors();
    tree = new TenantTree();
    tools = findTools();
    directory = tree.app(A_UID, 'app', { 'run.sh': '#!/bin/sh\ntouch ran\n' });
  });
  after(() => tree.remove());

  const start = (onStep: NonNullable<Parameters<typeof launch>[0]['onStep']>, deadlineMs = 5_000) =>
    launch({
      plan: planFor(A_UID),
      tools,
      directory,
      program: { umask: 0o27, environment: [], argv: ['./run.sh'] },
      onStep,
      deadlineMs,
    });

  const assertNothingRan = (outcome: LaunchOutcome): void => {
    assert.equal(outcome.signal, 'SIGKILL');
    assert.equal(existsSync(`${directory}/ran`), false);
  };

  for (const step of ['verify', 'report'] as const) {
    it(`ends without a program when it is killed at the step: ${step}`, async () => {
      const outcome = await start((at, child) => {
        if (at === step) child.kill('SIGKILL');
      });
      assertNothingRan(outcome);
      assert.equal(outcome.report === undefined, step === 'verify');
    });

    it(`ends at its deadline when its user stops it at the step: ${step}`, async () => {
      const outcome = await start((at, child) => {
        // Any process of the user may do this from the setresuid on.
        if (at === step) spawnSync('/bin/kill', ['-STOP', String(child.pid)], { uid: A_UID });
      }, 300);
      assertNothingRan(outcome);
      // What was sent to it was never read, which makes its end a reset instead of an end of file.
      assert.equal(outcome.ended, 'silent');
    });
  }

  it('ends with a supervisor that is killed', { timeout: 10_000 }, async () => {
    const args = [fixture('launch-and-wait'), directory, '/bin/sleep', '1000'];
    const supervisor = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const [chunk] = (await once(supervisor.stdout, 'data')) as [Buffer];
    const pid = Number(chunk.toString());
    assert.equal(hasEnded(pid), false);
    supervisor.kill('SIGKILL');
    await once(supervisor, 'exit');
    while (!hasEnded(pid)) await new Promise(setImmediate);
  });

  it('has no terminal, even if its supervisor has one (T62)', { skip: noScript() }, () => {
    const read = ['/bin/sh', '-c', 'exec 4</dev/tty'];
    const command = [process.execPath, fixture('launch-and-wait'), directory, ...read];
    const quoted = command.map((word) => `'${word}'`).join(' ');
    // The outer shell shows that there is a terminal to be had.
    const text = `exec 5</dev/tty && echo has-terminal && exec ${quoted}`;
    const { stdout } = spawnSync('/usr/bin/script', ['-qec', text, '/dev/null'], {
      encoding: 'utf8',
    });
    assert.match(stdout, /has-terminal/);
    assert.match(stdout, /\/dev\/tty: No such device or address/);
  });
});

/** Gone, or dead and waiting for an init that takes its time. */
function hasEnded(pid: number): boolean {
  try {
    return /\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return true;
  }
}

function noScript(): string | false {
  return existsSync('/usr/bin/script') ? false : 'no script(1)';
}
