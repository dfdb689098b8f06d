// Launches with real processes: what a worker is given, what happens when it dies in any gap, what stays behind (nothing).
import assert from 'node:assert/strict';
import { appendFileSync, chownSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import type { LaunchStep } from '../../../src/spawner/index.js';
import type { FakeRouter } from '../../support/fake-router.js';
import { connected } from '../../support/fake-router.js';
import { SupervisorHost, UID } from '../../support/supervisor-host.js';
import { waitFor } from '../../support/wait-for.js';

const skip = process.getuid?.() === 0 ? false : 'needs root';

describe('a launch', { skip }, () => {
  let host: SupervisorHost;
  let router: FakeRouter;

  beforeEach(async () => {
    host = new SupervisorHost();
    await host.start();
    router = await host.router();
  });
  afterEach(async () => {
    router.close();
    await host.close();
    assert.deepEqual([...host.processesOf(UID.alice), ...host.processesOf(UID.bob)], []);
  });

  it('gives a worker its own ids, its socket, its log and nothing else (T39, T49, T62)', async () => {
    host.makeApp('alice', 'tells', 'tells');
    const spawned = await router.spawn('alice/tells');
    const said = await waitFor('the log', () => {
      const text = host.sink.of(spawned.worker)?.text;
      return text?.includes('ready\n') === true ? text : undefined;
    });
    const [label, ...lines] = said.trimEnd().split('\n');
    assert.deepEqual(JSON.parse(label ?? ''), {
      worker: spawned.worker,
      app: 'alice/tells',
      runtime: '',
    });
    assert.deepEqual(lines, [
      `uid ${UID.alice} ${UID.alice}`,
      `gid ${UID.alice}`,
      'fds 0 1 2',
      'flags 02', // O_RDWR, and no O_NONBLOCK
      'tty 6', // ENXIO: no controlling terminal
      'umask 23', // 027
      'env HOME=/nonexistent/alice',
      'env LANG=C.UTF-8',
      'env LOGNAME=alice',
      'env PATH=/usr/local/bin:/usr/bin:/bin',
      'env SHELL=/bin/sh',
      `env TMPDIR=${join(host.users, String(UID.alice), 'tmp')}`,
      'env USER=alice',
      'env USHERD_APP=alice/tells',
      'truncated no',
      'ready',
    ]);
  });

  it('tells facts before the worker, and the worker answers on its socket', async () => {
    host.makeApp('alice', 'tells', 'tells');
    const spawned = await router.spawn('alice/tells');
    const types = router.heard.map(({ type }) => type);
    assert.deepEqual(types, ['welcome', 'settled', 'facts', 'spawned']);
    const socket = await connected(host.path(`worker/${spawned.worker}.sock`));
    let answer = '';
    socket.setEncoding('utf8').on('data', (text: string) => (answer += text));
    await waitFor('the worker to answer', () => answer === `${UID.alice}\n`);
  });

  it('tells facts once with every launch: the router may have forgotten them', async () => {
    host.makeApp('alice', 'app', 'sleeps');
    await router.spawn('alice/app');
    await router.spawn('alice/app');
    assert.equal(router.of('facts').length, 2);
  });

  it('tells the router how a worker ended, and whether it was wanted', async () => {
    host.makeApp('alice', 'app', 'sleeps');
    host.makeApp('alice', 'exits', 'exits-at-start');
    const retired = await router.spawn('alice/app');
    router.send({ type: 'retire', worker: retired.worker, reason: 'idle' });
    const gone = await router.hear('exited', ({ worker }) => worker === retired.worker);
    assert.deepEqual([gone.by, gone.signal, gone.wanted], ['signal', 'SIGTERM', true]);
    const crashed = await router.spawn('alice/exits');
    const crash = await router.hear('exited', ({ worker }) => worker === crashed.worker);
    assert.deepEqual([crash.by, crash.exitCode, crash.wanted], ['code', 7, false]);
    await waitFor('the sockets to go', () => readdirSync(host.path('worker')).length === 0);
  });

  it('kills a worker that does not end when asked', async () => {
    host.makeApp('alice', 'deaf', 'ignores-term');
    host.change({ users: [{ name: 'alice', uid: UID.alice, limits: { stopTimeoutMs: 50 } }] });
    await host.control({ command: 'reload' });
    const { worker } = await router.spawn('alice/deaf');
    await waitFor('the worker to be deaf', () =>
      host.sink.of(worker)?.text.includes('hears no TERM'),
    );
    router.send({ type: 'retire', worker, reason: 'idle' });
    const { by, signal, wanted } = await router.hear('exited', (heard) => heard.worker === worker);
    assert.deepEqual([by, signal, wanted], ['signal', 'SIGKILL', true]);
  });

  it('leaves nothing of a worker that made daemons (T105)', async () => {
    host.makeApp('alice', 'daemon', 'forks-daemon');
    const { worker } = await router.spawn('alice/daemon');
    await waitFor('the daemon', () => host.sink.of(worker)?.text.includes('daemon '));
    assert.ok(host.processesOf(UID.alice).length >= 2);
    router.send({ type: 'retire', worker, reason: 'idle' });
    await router.hear('exited');
    await waitFor('the daemon to be gone', () => host.processesOf(UID.alice).length === 0);
  });

  it('leaves nothing of a worker that ends and hands its socket to a child (T87)', async () => {
    host.makeApp('alice', 'heir', 'forks-and-exits');
    const { worker } = await router.spawn('alice/heir');
    await router.hear('exited', (message) => message.worker === worker);
    await waitFor('the child to be gone', () => host.processesOf(UID.alice).length === 0);
    await waitFor('the socket to go', () => readdirSync(host.path('worker')).length === 0);
  });

  it('lets a worker keep its log whatever root does with its own end', async () => {
    host.makeApp('alice', 'app', 'sleeps');
    const { worker } = await router.spawn('alice/app');
    // Other launches close the same kind of descriptor; the log of the first must stay a whole connection.
    await router.spawn('alice/app');
    assert.equal(host.sink.of(worker)?.isOpen, true);
    router.send({ type: 'retire', worker, reason: 'idle' });
    await waitFor('the log to end with its worker', () => host.sink.of(worker)?.isOpen === false);
  });

  it('survives a worker that closes everything or sends descriptors over its log (T51, T52)', async () => {
    host.makeApp('alice', 'closes', 'closes-descriptors');
    host.makeApp('alice', 'passes', 'passes-descriptors');
    const before = host.descriptorCount;
    const { worker } = await router.spawn('alice/passes');
    await waitFor('descriptors to be sent', () =>
      /^sent [1-9]/m.test(host.sink.of(worker)?.text ?? ''),
    );
    const closing = await router.spawn('alice/closes');
    // A look at the restart files holds some for a moment.
    await waitFor('no more descriptors than before', () => host.descriptorCount <= before);
    router.send({ type: 'retire', worker: closing.worker, reason: 'deadline' });
    await router.hear('exited', (message) => message.worker === closing.worker);
  });

  it('refuses what is not there once, and remembers it for a moment', async () => {
    const first = await router.need('alice/nothing');
    assert.equal(first.type, 'refused');
    assert.deepEqual([first.code, first.rule], ['E_APP_UNKNOWN', 'app-directory-missing']);
    assert.ok(first.retryAfterMs > 0);
    host.makeApp('alice', 'nothing', 'sleeps');
    const second = await router.need('alice/nothing');
    assert.ok(second.type === 'refused' && second.code === 'E_APP_UNKNOWN');
    await host.control({ command: 'reset', app: 'alice/nothing' });
    assert.equal((await router.need('alice/nothing')).type, 'spawned');
  });

  it('refuses an unknown account, an unknown runtime and an empty directory, each by name', async () => {
    mkdirSync(join(host.root, 'alice', 'empty'));
    chownSync(join(host.root, 'alice', 'empty'), UID.alice, UID.alice);
    const codes = [
      await router.need('nobodythere/app'),
      await router.need('alice/app', 'cobol'),
      await router.need('alice/empty'),
    ].map((answer) => (answer.type === 'refused' ? `${answer.code} ${answer.rule}` : 'spawned'));
    assert.deepEqual(codes, [
      'E_APP_UNKNOWN account-exists',
      'E_RUNTIME_MISSING runtime-known',
      'E_APP_EMPTY marker',
    ]);
  });

  it('refuses a launch whose log nobody would read', async () => {
    host.makeApp('alice', 'app', 'sleeps');
    host.sink.close();
    rmSync(host.path('router/log.sock'), { force: true });
    const answer = await router.need('alice/app');
    assert.ok(answer.type === 'refused' && answer.code === 'E_START_FAILED');
    assert.match(answer.detail, /log socket/);
    assert.deepEqual(readdirSync(host.path('worker')), []);
  });

  it('looks in the next root for what the first does not have', async () => {
    host.makeApp('bob', 'app', 'sleeps');
    host.change({
      roots: [join(host.root, 'nowhere/{user}/{app}'), join(host.root, '{user}', '{app}')],
    });
    await host.control({ command: 'reload' });
    assert.equal((await router.need('bob/app')).type, 'spawned');
  });

  it('notices a touched restart file and asks for a restart', async () => {
    const directory = host.makeApp('alice', 'app', 'sleeps');
    await router.spawn('alice/app');
    mkdirSync(join(directory, 'tmp'));
    const restart = await waitFor('the change to be seen', () => {
      // Again and again: the first look, with which later ones are compared, ends some time after the start.
      appendFileSync(join(directory, 'tmp', 'restart.txt'), 'x');
      router.send({ type: 'check', app: 'alice/app' });
      return router.of('restart')[0];
    });
    assert.deepEqual([restart.app, restart.reason, restart.hold], ['alice/app', 'changed', false]);
  });

  it('keeps the number of descriptors and leaves no zombie over 200 launches', async () => {
    // Tokens bound what one application and one user may start, so these are many of each.
    const before = host.descriptorCount;
    for (let round = 0; round < 100; round += 1) {
      for (const tenant of ['alice', 'bob'] as const) {
        const app = `app${round % 10}`;
        if (round < 10) host.makeApp(tenant, app, 'sleeps');
        const answer = await waitFor('a token', async () => {
          const tried = await router.need(`${tenant}/${app}`);
          return tried.type === 'spawned' ? tried : undefined;
        });
        router.send({ type: 'retire', worker: answer.worker, reason: 'idle' });
        await router.hear('exited', ({ worker }) => worker === answer.worker);
      }
    }
    await waitFor('the sockets to go', () => readdirSync(host.path('worker')).length === 0);
    await waitFor('the descriptors', () => host.descriptorCount <= before);
    assert.deepEqual(host.zombies, []);
  });
});

describe('a launch that is disturbed', { skip }, () => {
  const hosts: SupervisorHost[] = [];
  after(async () => {
    for (const host of hosts) await host.close();
  });

  const steps: readonly LaunchStep[] = [
    'spawned',
    'descriptors',
    'proved',
    'grouped',
    'reported',
    'ordered',
  ];
  for (const step of steps) {
    it(`ends without a trace when its process is killed after "${step}" (T103)`, async () => {
      const host = new SupervisorHost({ disturb: { step, signal: 'SIGKILL' } });
      hosts.push(host);
      await host.start();
      host.makeApp('alice', 'app', 'sleeps');
      const router = await host.router();
      const before = host.descriptorCount;
      const answer = await router.need('alice/app');
      // Killed after the last order, the launcher may already have been the program.
      if (answer.type === 'spawned') await router.hear('exited');
      else assert.equal(answer.code, 'E_START_FAILED');
      await waitFor('the socket to go', () => readdirSync(host.path('worker')).length === 0);
      await waitFor('no process', () => host.processesOf(UID.alice).length === 0);
      // The maker of the log directory may end at this very moment.
      await waitFor('the dead to be reaped', () => host.zombies.length === 0);
      await waitFor('the descriptors', () => host.descriptorCount <= before);
      const status = await host.control({ command: 'status' });
      const { limits, counters } = (status['result'] ?? {}) as {
        limits: { workers: number; launching: number };
        counters: { privilegeDropAlarms: number };
      };
      assert.deepEqual([limits.workers, limits.launching], [0, 0]);
      assert.equal(counters.privilegeDropAlarms, 0, 'a killed process is no alarm');
      router.close();
    });
  }

  it('is given up at its deadline when its user stops every new process (T100)', async () => {
    const host = new SupervisorHost({ disturb: { step: 'spawned', signal: 'SIGSTOP' } });
    hosts.push(host);
    await host.start();
    host.makeApp('alice', 'app', 'sleeps');
    const router = await host.router();
    const answer = await router.need('alice/app');
    assert.ok(answer.type === 'refused' && answer.code === 'E_PRIVDROP_DEADLINE');
    await waitFor('no process', () => host.processesOf(UID.alice).length === 0);
    router.close();
  });
});
