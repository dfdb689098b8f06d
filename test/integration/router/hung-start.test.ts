// A worker that hangs in its start, and whose clients have left: what it still holds.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { isAccepted } from '../../../src/router/accept-queue.js';
import { appParams, RouterRig } from '../../support/router-rig.js';
import { waitFor } from '../../support/wait-for.js';

const HUNG = 'alice/hung';
const NEXT = 'alice/next';
const NO_ROOM = { refuse: { code: 'E_SPAWN_LIMIT', rule: 'max-workers-per-user' } };
const NEVER_ACCEPTS = ['/bin/sleep', '600'];

let rig: RouterRig | undefined;
afterEach(async () => {
  await rig?.stop();
  rig = undefined;
});

const answering = (text: string): { readonly worker: object } => ({
  worker: {
    onRequest: (request: { reply: (text: string) => void }) =>
      request.reply(`Status: 200\r\n\r\n${text}`),
  },
});

/** How often the supervisor was asked for this application. */
const asked = ({ supervisor }: RouterRig, app: string): number =>
  supervisor.needs.filter((need) => need.app === app).length;

test('it gives its place to the next application of its user, once nobody waits for it', async () => {
  rig = await RouterRig.start({ apps: { [HUNG]: { program: NEVER_ACCEPTS }, [NEXT]: NO_ROOM } });
  const { supervisor, router } = rig;
  const leaving = await rig.connect();
  leaving.send(1, appParams(HUNG));
  await waitFor('the worker', () => supervisor.running.size === 1);
  const front = await rig.front();
  front.send(1, appParams(NEXT));
  const running = rig;
  await waitFor('the questions', () => asked(running, NEXT) >= 3);
  assert.equal(supervisor.running.size, 1, 'somebody waits for it');
  leaving.close();
  await waitFor('the end of it', () => supervisor.running.size === 0);
  const retired = supervisor.received.filter((message) => message.type === 'retire');
  assert.deepEqual(
    retired.map(({ reason }) => reason),
    ['surplus'],
  );
  supervisor.apps.set(NEXT, answering('next'));
  await front.ended(1);
  assert.equal(supervisor.running.size, 1);
  assert.equal(router.counters.requestsActive, 0);
});

test('the next client of the same application waits for it, too, instead of starting another one', async () => {
  rig = await RouterRig.start({ apps: { [HUNG]: { program: NEVER_ACCEPTS } } });
  const running = rig;
  for (let count = 0; count < 5; count += 1) {
    const leaving = await rig.connect();
    leaving.send(1, appParams(HUNG));
    await waitFor('the worker', () => running.supervisor.running.size === 1);
    await waitFor('the request', () => running.router.counters.requestsActive === 1);
    leaving.close();
    await waitFor('its end', () => running.router.counters.requestsActive === 0);
  }
  assert.equal(asked(rig, HUNG), 1);
});

test('it has no more than start_timeout, however soon each of its clients leaves', async () => {
  const facts = { limits: { startTimeoutMs: 300 } };
  rig = await RouterRig.start({ apps: { [HUNG]: { program: NEVER_ACCEPTS, facts } } });
  const running = rig;
  const giveUpMs = performance.now() + 5_000;
  while (asked(rig, HUNG) < 2 && performance.now() < giveUpMs) {
    const leaving = await rig.connect();
    leaving.send(1, appParams(HUNG));
    await waitFor('the request', () => running.router.counters.requestsActive === 1);
    await waitFor('a worker', () => running.supervisor.running.size > 0);
    leaving.close();
    await waitFor('its end', () => running.router.counters.requestsActive === 0);
  }
  assert.equal(asked(rig, HUNG), 2);
  const { reason } = rig.supervisor.received.find(({ type }) => type === 'retire') as {
    reason: string;
  };
  assert.equal(reason, 'deadline');
});

test('a worker that has taken the request keeps its place until it is done', async () => {
  const program = ['/usr/bin/perl', '-e', 'accept CLIENT, STDIN; sleep 600'];
  rig = await RouterRig.start({ apps: { [HUNG]: { program }, [NEXT]: NO_ROOM } });
  const running = rig;
  const leaving = await rig.connect();
  leaving.send(1, appParams(HUNG));
  await waitFor('the request at the worker', () => {
    const [id] = running.supervisor.running.keys();
    return id !== undefined && isAccepted(`${running.directory}/run/worker/${id}.sock`);
  });
  (await rig.front()).send(1, appParams(NEXT));
  await waitFor('the questions', () => asked(running, NEXT) >= 2);
  const before = asked(rig, NEXT);
  leaving.close();
  await waitFor('more questions', () => asked(running, NEXT) >= before + 3);
  const isRetired = rig.supervisor.received.some((message) => message.type === 'retire');
  assert.equal(isRetired, false);
  for (const id of rig.supervisor.running.keys()) rig.supervisor.kill(id);
});

test('that its client has left is no proof of a new edition that takes several requests at once', async () => {
  const concurrency = 4;
  rig = await RouterRig.start({ apps: { [HUNG]: { ...answering('old'), concurrency } } });
  const { supervisor, router } = rig;
  const front = await rig.front();
  await front.fetch(appParams(HUNG));
  supervisor.apps.set(HUNG, { program: NEVER_ACCEPTS, concurrency });
  supervisor.send({ type: 'restart', app: HUNG, user: '', reason: 'changed', hold: false });
  await waitFor('the new worker', () => supervisor.running.size === 2);
  await front.fetch(appParams(HUNG, '/', { REQUEST_METHOD: 'POST' }));
  const leaving = await rig.connect();
  leaving.send(1, appParams(HUNG));
  await waitFor('the request', () => router.counters.requestsActive === 1);
  leaving.close();
  await waitFor('its end', () => router.counters.requestsActive === 0);
  const { body } = await front.fetch(appParams(HUNG, '/', { REQUEST_METHOD: 'POST' }));
  assert.equal(body.toString(), 'old');
  assert.equal(supervisor.running.size, 2);
});
