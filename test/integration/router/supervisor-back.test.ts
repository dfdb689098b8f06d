// Requests that need a worker while the supervisor is away: how long they wait for it, and what they get when it comes.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { SupervisorMessage } from '../../../src/ipc/index.js';
import { TEST_FACTS } from '../../support/fake-supervisor.js';
import { parseCgi, type CgiAnswer } from '../../support/front-client.js';
import { LIMITS } from '../../../src/limits.js';
import { TEST_DIGEST } from '../../support/config.js';
import { appParams, RouterRig } from '../../support/router-rig.js';
import { waitFor } from '../../support/wait-for.js';

let rig: RouterRig | undefined;
afterEach(async () => {
  await rig?.stop();
  rig = undefined;
});

const APP = 'alice/blog';

const living = (worker: string): SupervisorMessage => ({
  ...{ type: 'living', app: APP, runtime: 'fastcgi', worker, pid: 1, protocol: 'fastcgi' },
  ...{ connect: '', uid: 0, concurrency: 1, maxRequests: 0 },
});

test('a request that waits for the supervisor gets a living worker, not one that has to be started', async () => {
  rig = await RouterRig.start({
    apps: {
      [APP]: { worker: { onRequest: (request) => request.reply('Status: 200\r\n\r\nhere') } },
    },
  });
  const { supervisor } = rig;
  await (await rig.front()).fetch(appParams(APP));
  const [id = ''] = supervisor.running.keys();
  let hasGreeted = false;
  supervisor.onHello = () => (hasGreeted = true);
  await rig.restartRouter();
  await waitFor('the greeting', () => hasGreeted);

  const front = await rig.front();
  front.send(1, appParams(APP));
  const { router } = rig;
  await waitFor('the request', () => router.counters.requestsActive === 1);
  const needsCount = supervisor.needs.length;
  supervisor.send({ type: 'welcome', version: 'test', digest: TEST_DIGEST });
  supervisor.send({ ...TEST_FACTS, app: APP });
  supervisor.send(living(id));
  supervisor.send({ type: 'settled' });

  assert.equal(parseCgi(await front.ended(1)).body.toString(), 'here');
  assert.equal(supervisor.needs.length, needsCount);
});

test('an absence is waited out once: after it requests are refused at once, whenever they came', async () => {
  rig = await RouterRig.start({
    apps: { [APP]: { refuse: { code: 'E_SPAWN_LIMIT', rule: 'max-workers-per-user' } } },
  });
  const { supervisor } = rig;
  const front = await rig.front();
  const assertAway = ({ status, headers }: CgiAnswer): void => {
    const told = ['x-usherd-reason', 'retry-after'].map((name) => headers.get(name));
    assert.deepEqual([status, ...told], [503, 'supervisor-away', '2']);
  };

  front.send(1, appParams(APP)); // it would wait for queue_timeout
  await waitFor('the question for a worker', () => supervisor.needs.length > 0);
  const awaySinceMs = performance.now();
  supervisor.close();
  assertAway(parseCgi(await front.ended(1)));
  const waitedMs = performance.now() - awaySinceMs;
  assert.ok(waitedMs >= LIMITS.supervisorAwayGraceMs - 50, `${waitedMs} ms`);
  assert.ok(waitedMs < 2 * LIMITS.supervisorAwayGraceMs, `${waitedMs} ms`);

  for (const app of [APP, 'bob/unknown']) {
    const sentMs = performance.now();
    assertAway(await front.fetch(appParams(app)));
    const ms = performance.now() - sentMs;
    assert.ok(ms < LIMITS.supervisorAwayGraceMs / 2, `${app}: ${ms} ms`);
  }
});
