// Limits by the kernel's cgroup v2 controllers: what is written holds, and who was killed for want of memory is told apart.
// Where the machine has no controllers (cgroup v1 beside it): npm run vm -- node --test dist/test/privileged/spawner/cgroup-limits.test.js
import assert from 'node:assert/strict';
import { chownSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { Status } from '../../../src/spawner/index.js';
import type { FakeRouter } from '../../support/fake-router.js';
import { SupervisorHost, UID } from '../../support/supervisor-host.js';
import { waitFor } from '../../support/wait-for.js';

const MIB = 1_048_576;
type Spawned = Awaited<ReturnType<FakeRouter['spawn']>>;

function whyNot(): string | false {
  if (process.getuid?.() !== 0) return 'needs root';
  const mount = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'].find((path) =>
    existsSync(join(path, 'cgroup.controllers')),
  );
  const offered =
    mount === undefined ? '' : readFileSync(join(mount, 'cgroup.controllers'), 'utf8');
  const hasAll = ['memory', 'pids', 'cpu'].every((name) => offered.split(/\s+/).includes(name));
  return hasAll ? false : 'cgroup v2 has no controllers on this machine; npm run vm has';
}

describe('limits by cgroup controllers', { skip: whyNot() }, () => {
  let host: SupervisorHost;

  const start = async (limits: object): Promise<void> => {
    const users = [
      { name: 'alice', uid: UID.alice, limits },
      { name: 'bob', uid: UID.bob },
    ];
    host.change({ users });
    await host.start();
  };
  const status = async (): Promise<Status> =>
    (await host.control({ command: 'status' }))['result'] as Status;
  /** Where the machine is emulated, a launch may miss its deadlines; then again. */
  const spawn = (router: FakeRouter, app: string): Promise<Spawned> =>
    waitFor(`a worker of ${app}`, async () => {
      const answer = await router.need(app);
      if (answer.type === 'spawned') return answer;
      assert.equal(answer.code, 'E_PRIVDROP_DEADLINE', answer.detail);
      return undefined;
    });
  const group = async (below: string): Promise<string> =>
    join((await status()).isolation.cgroup.path, below);
  const value = async (below: string): Promise<string> =>
    readFileSync(await group(below), 'utf8').trim();

  beforeEach(() => {
    host = new SupervisorHost();
  });
  afterEach(async () => {
    const tree = await group('').catch(() => undefined);
    await host.close();
    assert.deepEqual([...host.processesOf(UID.alice), ...host.processesOf(UID.bob)], []);
    if (tree !== undefined) assert.ok(!existsSync(tree), 'the tree is gone');
  });

  it('are written for user and application, lowered by the manifest, and gone with the last worker', async () => {
    await start({
      memoryMaxBytes: 64 * MIB,
      memoryHighBytes: 48 * MIB,
      pidsMax: 40,
      cpuWeight: 30,
    });
    const directory = host.makeApp('alice', 'app', 'sleeps');
    const manifest = join(directory, 'usherd.toml');
    writeFileSync(manifest, `memory_max = ${32 * MIB}\n`);
    chownSync(manifest, UID.alice, UID.alice);
    host.makeApp('alice', 'other', 'sleeps');
    const router = await host.router();
    const { worker } = await spawn(router, 'alice/app');
    await spawn(router, 'alice/other');
    const user = `u${UID.alice}`;
    assert.equal(await value(`${user}/pids.max`), '40');
    assert.equal(await value(`${user}/cpu.weight`), '30');
    assert.equal(await value(`${user}/a-app/memory.max`), String(32 * MIB));
    assert.equal(await value(`${user}/a-other/memory.max`), String(64 * MIB));
    assert.equal(await value(`${user}/a-other/memory.high`), String(48 * MIB));
    assert.equal(await value(`${user}/a-other/memory.oom.group`), '1');
    assert.deepEqual((await status()).isolation.cgroup.controllers.slice(0, 3), [
      'memory',
      'pids',
      'cpu',
    ]);
    router.send({ type: 'retire', worker, reason: 'idle' });
    await router.hear('exited', (it) => it.worker === worker);
    const gone = await group(`${user}/a-app`);
    await waitFor('its group to go', () => !existsSync(gone));
    assert.ok(existsSync(await group(`${user}/a-other`)));
    router.close();
  });

  it('a worker that eats memory is killed alone, with a reason, and nobody else notices (T92)', async () => {
    await start({ memoryMaxBytes: 48 * MIB });
    host.makeApp('alice', 'glutton', 'eats-memory');
    host.makeApp('alice', 'calm', 'sleeps');
    host.makeApp('bob', 'app', 'sleeps');
    const router = await host.router();
    const { worker } = await spawn(router, 'alice/glutton');
    const calm = await spawn(router, 'alice/calm');
    const bobs = await spawn(router, 'bob/app');
    const feed = net.connect(host.path(`worker/${worker}.sock`));
    feed.on('error', () => undefined); // it dies while it is fed
    feed.write('x'.repeat(32));
    const exit = await router.hear('exited', (it) => it.worker === worker);
    feed.destroy();
    assert.equal(exit.by, 'memory');
    assert.equal(exit.wanted, false);
    const { counters } = await status();
    assert.deepEqual([counters.outOfMemory, counters.crashed], [1, 1]);
    assert.ok(host.output.includes('out of memory'));
    assert.deepEqual(
      router.of('exited').map((it) => it.worker),
      [worker],
    );
    process.kill(calm.pid, 'SIGKILL');
    const killed = await router.hear('exited', (it) => it.worker === calm.worker);
    assert.deepEqual(
      [killed.by, killed.signal],
      ['signal', 'SIGKILL'],
      'killed is not out of memory',
    );
    process.kill(bobs.pid, 0);
    await spawn(router, 'alice/glutton');
    router.close();
  });

  it('a fork bomb stops at pids_max, is ended whole, and leaves nothing (T91)', async () => {
    await start({ pidsMax: 30, stopTimeoutMs: 100 });
    host.makeApp('alice', 'bomb', 'forks-without-end');
    host.makeApp('bob', 'app', 'sleeps');
    const router = await host.router();
    const { worker } = await spawn(router, 'alice/bomb');
    await waitFor('it to be stopped', () => host.sink.of(worker)?.text.includes('forked'));
    const count = Number(/forked (\d+)/.exec(host.sink.of(worker)?.text ?? '')?.[1]);
    assert.ok(count < 30, `${count} children`);
    assert.ok(Number(await value(`u${UID.alice}/pids.current`)) <= 30);
    await spawn(router, 'bob/app');
    await host.control({ command: 'stop', app: 'alice/bomb' });
    await waitFor('all of it to be gone', () => host.processesOf(UID.alice).length === 0);
    router.close();
  });
});
