// An account goes and its uid is given to somebody else while programs of the former owner still run (T106, T108).
import assert from 'node:assert/strict';
import { chownSync, cpSync, mkdirSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { FakeRouter } from '../support/fake-router.js';
import { needsRoot } from '../support/needs-root.js';
import { SupervisorHost, UID } from '../support/supervisor-host.js';
import { waitFor } from '../support/wait-for.js';

describe('a uid that gets another owner', { skip: needsRoot }, () => {
  let host: SupervisorHost;
  let router: FakeRouter;
  before(async () => {
    host = new SupervisorHost();
    await host.start();
    router = await host.router();
  });
  after(async () => {
    router.close();
    await host.close();
  });

  test('has no worker of the former one any more when the first of the new one starts (T106)', async () => {
    const former = host.makeApp('alice', 'app', 'sleeps');
    const old = await router.spawn('alice/app');
    const home = join(host.root, 'carol');
    mkdirSync(home, { mode: 0o711 });
    cpSync(former, join(home, 'app'), { recursive: true });
    for (const path of [join(home, 'app'), join(home, 'app/app.fcgi')]) {
      chownSync(path, UID.alice, UID.alice);
    }
    host.change({ users: [{ name: 'carol', uid: UID.alice }] });
    await host.control({ command: 'reload' });

    const answer = await router.need('carol/app');
    assert.equal(answer.type === 'refused' ? answer.rule : 'started', 'uid-reassigned');
    await router.hear('exited', ({ worker }) => worker === old.worker);
    const own = join(host.users, String(UID.alice));
    const inherited = await waitFor('what alice has left to be noticed', async () => {
      const next = await router.need('carol/app');
      return next.type === 'refused' && next.rule !== 'uid-reassigned' ? next : undefined;
    });
    assert.deepEqual([inherited.code, inherited.rule], ['E_START_FAILED', 'private-directory']);
    assert.match(inherited.detail, / of alice, who had uid \d+ before;/);
    for (const path of [own, `${own}.owner`]) rmSync(path, { recursive: true });
    const fresh = await waitFor('the new owner to be served', async () => {
      const next = await router.need('carol/app');
      return next.type === 'spawned' ? next : undefined;
    });
    assert.deepEqual(host.processesOf(UID.alice), [fresh.pid]);
    assert.equal(readlinkSync(`${own}.owner`), 'carol');
  });

  test('is no uid at all for a user who is gone: nothing starts for him (T108)', async () => {
    host.makeApp('bob', 'app', 'sleeps');
    const answer = await router.need('bob/app'); // his account went with the reload
    assert.equal(answer.type === 'refused' ? answer.code : 'started', 'E_APP_UNKNOWN');
    assert.deepEqual(host.processesOf(UID.bob), []);
  });
});
