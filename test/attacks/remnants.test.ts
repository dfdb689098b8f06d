// A machine without cgroups: daemons that left session, group and parent of their worker end with it, and nothing else does.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import type { FakeRouter } from '../support/fake-router.js';
import { needsRoot } from '../support/needs-root.js';
import { SupervisorHost, UID } from '../support/supervisor-host.js';
import { waitFor } from '../support/wait-for.js';

describe('without cgroups', { skip: needsRoot }, () => {
  let host: SupervisorHost;
  let router: FakeRouter;
  let login: ChildProcess;

  before(async () => {
    host = new SupervisorHost({ cleanTimes: { firstAfterMs: 10, intervalMs: 50 } });
    host.withoutCgroups = true;
    await host.start();
    router = await host.router();
    const ids = [`--reuid=${UID.alice}`, `--regid=${UID.alice}`, '--clear-groups'];
    login = spawn('setpriv', [...ids, '--', 'sleep', '1000'], { stdio: 'ignore' });
    await waitFor('a login', () => host.processesOf(UID.alice).length === 1);
  });
  after(async () => {
    login.kill('SIGKILL');
    router.close();
    await host.close();
  });

  /** The worker, and the process that it has let go. */
  async function daemonOf(app: string, fixture: string): Promise<readonly [string, number]> {
    host.makeApp('alice', app, fixture);
    const { worker } = await router.spawn(`alice/${app}`);
    const pid = await waitFor(
      'its daemon',
      () => /daemon (\d+)/.exec(host.sink.of(worker)?.text ?? '')?.[1],
    );
    return [worker, Number(pid)];
  }
  const lives = (pid: number): boolean => host.processesOf(UID.alice).includes(pid);

  test('says so', () => {
    assert.ok(host.log.some(({ msg }) => msg.startsWith('no cgroups')));
  });

  for (const fixture of ['forks-daemon', 'hides-daemon', 'poses-daemon']) {
    test(`what ${fixture} leaves ends with its worker; a login and other workers stay (T105)`, async () => {
      const [worker, daemon] = await daemonOf(`a-${fixture}`, fixture);
      const [other, othersDaemon] = await daemonOf(`b-${fixture}`, 'forks-daemon');
      router.send({ type: 'retire', worker, reason: 'idle' });
      await router.hear('exited', (it) => it.worker === worker);
      await waitFor('the daemon to end', () => !lives(daemon));
      assert.ok(lives(othersDaemon), 'its worker lives');
      assert.ok(lives(login.pid ?? 0), 'nothing that a launch has begun');
      router.send({ type: 'retire', worker: other, reason: 'idle' });
      await waitFor('the other daemon to end', () => !lives(othersDaemon));
    });
  }

  /** A user's own processes may trace it, and have it start what they like. */
  test('a cleaner bears a mark, too (T105)', async () => {
    host.makeApp('alice', 'cleaned', 'sleeps');
    const { worker } = await router.spawn('alice/cleaned');
    const limits = await waitFor('a cleaner', () => limitsOfCleaner(host));
    assert.match(limits, /^Max file locks +(\d+) +\1 /m);
    router.send({ type: 'retire', worker, reason: 'idle' });
    await router.hear('exited', (it) => it.worker === worker);
  });

  test('a daemon of a supervisor that was killed ends before the next one serves (T105, T111)', async () => {
    const [, daemon] = await daemonOf('old', 'forks-daemon');
    await host.stop('SIGKILL');
    assert.ok(lives(daemon));
    await host.start();
    assert.ok(!lives(daemon));
    assert.deepEqual(host.processesOf(UID.alice), [login.pid]);
  });
});

/** After prlimit(1) and setpriv(1). */
function limitsOfCleaner(host: SupervisorHost): string | undefined {
  for (const pid of host.processesOf(UID.alice)) {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0');
      const isCleaner = words[1] === '-c' && words[3] === 'clean';
      if (isCleaner) return readFileSync(`/proc/${pid}/limits`, 'latin1');
    } catch {
      // It has ended.
    }
  }
  return undefined;
}
