// Requests of an application that cannot be started just now: how long each of them waits.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { TEST_LIMITS } from '../../support/config.js';
import { parseCgi, type FrontClient } from '../../support/front-client.js';
import { appParams, RouterRig } from '../../support/router-rig.js';

const APP = 'alice/blog';
const TIMEOUT_MS = 1_000;

let rig: RouterRig | undefined;
afterEach(async () => {
  await rig?.stop();
  rig = undefined;
});

/** How long it waited until it was told that nobody has come. */
async function waitedMs(front: FrontClient, id: number): Promise<number> {
  const sentMs = performance.now();
  front.send(id, appParams(APP));
  const answer = parseCgi(await front.ended(id));
  assert.equal(answer.headers.get('x-usherd-reason'), 'queue-timeout');
  return performance.now() - sentMs;
}

test('each has its own time to wait, however long others have waited before it', async () => {
  const refuse = { code: 'E_SPAWN_LIMIT', rule: 'max-workers-per-user' };
  rig = await RouterRig.start({
    apps: { [APP]: { refuse } },
    config: { defaults: { ...TEST_LIMITS, queueTimeoutMs: TIMEOUT_MS } },
  });
  const front = await rig.front();
  const first = waitedMs(front, 1);
  await sleep(TIMEOUT_MS / 2);
  const second = waitedMs(front, 2);
  for (const ms of [await first, await second]) {
    assert.ok(ms >= TIMEOUT_MS - 5, `${ms} ms`);
    assert.ok(ms < 3 * TIMEOUT_MS, `${ms} ms`);
  }
});
