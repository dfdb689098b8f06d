// The log socket lies in a directory of the router's, and its connection ends in a tenant's hands: a router that somebody has taken over
// must not choose where root connects to.
import assert from 'node:assert/strict';
import { chownSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { after, before, describe, it } from 'node:test';
import type { FakeRouter } from '../../support/fake-router.js';
import { needsRoot } from '../../support/needs-root.js';
import { SupervisorHost, UID } from '../../support/supervisor-host.js';
import { waitFor } from '../../support/wait-for.js';

describe('a log socket that is not the router’s own', { skip: needsRoot }, () => {
  let host: SupervisorHost;
  let router: FakeRouter;
  let other: Server;
  let connectionsCount = 0;
  before(async () => {
    host = new SupervisorHost();
    await host.start();
    router = await host.router();
    host.makeApp('alice', 'app', 'sleeps');
    renameSync(host.path('router/log.sock'), host.path('router/real.sock'));
    other = createServer((socket) => {
      connectionsCount += 1;
      socket.destroy();
    }).listen(host.path('router/other.sock'));
    await waitFor('the other one', () => other.listening);
  });
  after(async () => {
    other.close();
    router.close();
    await host.close();
  });

  const refused = async (): Promise<void> => {
    const answer = await router.need('alice/app');
    assert.equal(answer.type === 'refused' ? answer.code : 'a worker', 'E_START_FAILED');
    assert.equal(connectionsCount, 0);
    assert.deepEqual(host.processesOf(UID.alice), []);
  };

  it('is not connected to: a link to the control socket, or to the router’s (T115)', async () => {
    for (const target of ['control.sock', 'router/other.sock', 'router/real.sock']) {
      symlinkSync(host.path(target), host.path('router/log.sock'));
      await refused();
      rmSync(host.path('router/log.sock'));
    }
  });

  it('is not connected to: a socket of root’s or of a user’s (T115)', async () => {
    for (const uid of [0, UID.bob]) {
      chownSync(host.path('router/other.sock'), uid, uid);
      renameSync(host.path('router/other.sock'), host.path('router/log.sock'));
      await refused();
      renameSync(host.path('router/log.sock'), host.path('router/other.sock'));
    }
  });

  it('is connected to again when it is the router’s', async () => {
    renameSync(host.path('router/real.sock'), host.path('router/log.sock'));
    assert.equal((await router.need('alice/app')).type, 'spawned');
  });
});
