// A supervisor that is not root: everything runs as its own user, and without cgroups, which is all that is left of isolation.
import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { SupervisorHost, UID } from '../../support/supervisor-host.js';
import { waitFor } from '../../support/wait-for.js';

const skip = process.getuid?.() === 0 ? false : 'needs root';

describe('a supervisor that is an ordinary user', { skip }, () => {
  let host: SupervisorHost;
  beforeEach(async () => {
    host = new SupervisorHost({}, 'self');
    await host.start();
    assert.equal(
      host.log.find(({ level }) => level === 'fatal'),
      undefined,
      host.output,
    );
  });
  afterEach(async () => {
    await host.close();
    assert.deepEqual(host.processesOf(UID.alice), []);
  });

  it('runs workers as itself, on sockets that are its own', async () => {
    host.makeApp('alice', 'app', 'tells');
    const router = await host.router();
    const { worker } = await router.spawn('alice/app');
    const log = await waitFor('the log', () =>
      host.sink.of(worker)?.text.includes('ready') === true
        ? host.sink.of(worker)?.text
        : undefined,
    );
    assert.match(log, new RegExp(`^uid ${UID.alice} ${UID.alice}$`, 'm'));
    for (const name of ['control.sock', 'supervisor.sock', `worker/${worker}.sock`]) {
      const { uid, mode } = statSync(host.path(name));
      assert.equal(uid, UID.alice, name);
      assert.equal(mode & 0o007, 0, name);
    }
    router.close();
  });

  it('says that there are no cgroups', async () => {
    const { result } = (await host.control({ command: 'status' })) as {
      result: { mode: string; isolation: { cgroup: { path: string } } };
    };
    assert.deepEqual([result.mode, result.isolation.cgroup.path], ['self', '']);
    assert.ok(host.log.some(({ msg }) => msg.startsWith('no cgroups')));
  });

  it('finds what a worker left in its session', async () => {
    host.makeApp('alice', 'heir', 'forks-and-exits');
    const router = await host.router();
    const { worker } = await router.spawn('alice/heir');
    await router.hear('exited', (message) => message.worker === worker);
    await waitFor('only the supervisor to be left', () => host.processesOf(UID.alice).length === 1);
    await waitFor('the socket to go', () => readdirSync(host.path('worker')).length === 0);
    router.close();
  });
});
