// Processes where the kernel gives no more of them, gives their numbers to others, or ends the one that looks after them.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, test } from 'node:test';
import { askSupervisor } from '../../src/cli/control-client.js';
import { shellAs } from '../support/as-uid.js';
import { HostileHost } from '../support/hostile-host.js';
import { needsRoot } from '../support/needs-root.js';
import { perlWorker } from '../support/perl-worker.js';
import { SupervisorHost, UID } from '../support/supervisor-host.js';
import { waitFor } from '../support/wait-for.js';

const isHere = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('a user without processes left', { skip: needsRoot }, () => {
  const PIDS_MAX = 12;
  let host: SupervisorHost;
  beforeEach(async () => {
    host = new SupervisorHost({
      users: [
        { name: 'alice', uid: UID.alice, limits: { pidsMax: PIDS_MAX } },
        { name: 'bob', uid: UID.bob },
      ],
    });
    await host.start();
  });
  afterEach(() => host.close());

  test('gets a refusal with a name, costs nobody anything, and is served when there is room (T99)', async () => {
    host.makeApp('alice', 'app', 'sleeps');
    host.makeApp('bob', 'app', 'sleeps');
    const router = await host.router();
    const before = host.descriptorCount;
    const ids = [`--reuid=${UID.alice}`, `--regid=${UID.alice}`, '--clear-groups'];
    const crowd = Array.from({ length: PIDS_MAX + 2 }, () =>
      spawn('setpriv', [...ids, '--', 'sleep', '1000'], { stdio: 'ignore' }),
    );
    try {
      await waitFor('the crowd', () => host.processesOf(UID.alice).length === crowd.length);
      for (let tries = 0; tries < 3; tries += 1) {
        const refused = await router.need('alice/app');
        const code = refused.type === 'refused' ? refused.code : 'a worker';
        assert.match(code, /^E_(?:PRIVDROP|START)_/);
      }
      assert.equal((await router.need('bob/app')).type, 'spawned');
      assert.deepEqual(host.zombies, []);
      await waitFor('descriptors to be given back', () => host.descriptorCount <= before + 2);
    } finally {
      for (const one of crowd) one.kill('SIGKILL');
    }
    await waitFor('room', () => host.processesOf(UID.alice).length === 0);
    assert.equal((await router.need('alice/app')).type, 'spawned');
    router.close();
  });
});

const LAST_PID = '/proc/sys/kernel/ns_last_pid';

function noLastPid(): string | false {
  try {
    accessSync(LAST_PID, constants.W_OK);
    return false;
  } catch {
    return `${LAST_PID} cannot be written`;
  }
}

/** Says every signal that it gets; KILL and STOP speak for themselves. */
const VICTIM = `$| = 1; setpgrp; for my $name (keys %SIG) { $SIG{$name} = sub { print "$name\\n" } unless $name =~ /^(?:KILL|STOP|CHLD|CLD|__.*)$/ }
for my $name (qw(TERM INT HUP CONT USR1 USR2 QUIT)) { $SIG{$name} = sub { print "$name\\n" } }
print "here\\n"; sleep 1000 while 1;`;

describe('a process number that comes again', { skip: needsRoot || noLastPid() }, () => {
  const victims: ChildProcess[] = [];
  after(() => victims.forEach((one) => one.kill('SIGKILL')));

  /** A process of nobody's, leader of its group, with this very number. */
  async function reincarnate(pid: number): Promise<{ readonly said: () => string }> {
    for (let tries = 0; tries < 200; tries += 1) {
      writeFileSync(LAST_PID, String(pid - 1));
      const child = spawn('perl', ['-e', VICTIM], { stdio: ['ignore', 'pipe', 'ignore'] });
      if (child.pid === pid) {
        let said = '';
        child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
        victims.push(child);
        await waitFor('the victim', () => said.includes('here'));
        return { said: () => said };
      }
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    throw new Error(`somebody else always got ${pid}`);
  }

  test('is not signalled by deadlines, commands or the end of the supervisor (T104)', async () => {
    const stopTimeoutMs = 300;
    const host = new SupervisorHost({
      users: [{ name: 'alice', uid: UID.alice, limits: { stopTimeoutMs } }],
    });
    try {
      await host.start();
      host.makeApp('alice', 'app', 'sleeps');
      host.makeApp('alice', 'deaf', 'ignores-term');
      const router = await host.router();
      const told: (() => string)[] = [];
      for (const how of ['stop', 'retire', 'kill'] as const) {
        const { worker, pid } = await router.spawn('alice/app');
        if (how === 'stop') await host.control({ command: 'stop', app: 'alice/app' });
        else if (how === 'retire') router.send({ type: 'retire', worker, reason: 'idle' });
        else process.kill(pid, 'SIGKILL');
        await router.hear('exited', (it) => it.worker === worker);
        await waitFor('its end', () => !isHere(pid));
        told.push((await reincarnate(pid)).said);
        router.send({ type: 'retire', worker, reason: 'deadline' }); // late
      }
      // All deadlines of those three are over when one that was set later has passed.
      const deaf = await router.spawn('alice/deaf');
      await waitFor('it to be deaf', () =>
        host.sink.of(deaf.worker)?.text.includes('hears no TERM'),
      );
      await host.control({ command: 'stop', app: 'alice/deaf' });
      assert.equal((await router.hear('exited', (it) => it.worker === deaf.worker)).wanted, true);
      await host.control({ command: 'suspend', user: 'alice' });
      await host.stop();
      assert.deepEqual(
        told.map((said) => said()),
        ['here\n', 'here\n', 'here\n'],
      );
      assert.ok(
        victims.every(({ exitCode, signalCode }) => exitCode === null && signalCode === null),
      );
    } finally {
      await host.close();
    }
  });
});

describe('a supervisor without memory left', { skip: needsRoot }, () => {
  test('ends, takes every process along, and is started anew: the next request is served (T102)', async () => {
    const host = await HostileHost.start(52_351);
    try {
      const daemon = `if (fork == 0) { POSIX::setsid(); if (fork == 0) { sleep 1000 while 1 } POSIX::_exit(0) } wait;`;
      host.usherd.write('alice/app', 'app.fcgi', perlWorker('return "served"', daemon), 0o755);
      assert.equal(await host.text('alice/app'), 'served');
      const old = host.usherd.workerPids();
      assert.ok(old.length >= 3, `${old.length} processes`);
      const supervisor = host.usherd.pidOf('supervisor');
      const control = join(host.usherd.directory, 'run/control.sock');
      // Not one page more than it has; every question makes it ask for some.
      assert.equal(shellAs(0, `prlimit --pid ${supervisor} --data=1:`), '');
      await waitFor('its end', async () => {
        const ask = (): Promise<unknown> => askSupervisor(control, { command: 'status' });
        await Promise.allSettled(Array.from({ length: 8 }, ask));
        return !isHere(supervisor);
      });
      await waitFor('the next one', () => host.usherd.pidOf('supervisor') !== supervisor, 30_000);
      await waitFor('the old ones to be gone', () => old.every((pid) => !isHere(pid)));
      await waitFor('an answer', async () => {
        const { status } = await host.fetch('alice/app');
        return status === 200;
      });
      await host.neighbourIsServed();
    } finally {
      await host.usherd.stop();
    }
  });
});
