// An answer never reaches another request: eight browsers on kept connections, answers that are tagged, and workers that fail in between.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { absence, FrontRig } from '../support/fronts/front-rig.js';
import { FRONT_NAMES, type Front } from '../support/fronts/front.js';
import type { HttpAnswer } from '../support/fronts/http-client.js';
import { RESPONDER } from '../support/fronts/responder.js';

const BROWSERS_COUNT = 8;
const REQUESTS_COUNT = 40;
const RESETS_MAX = 100;
const APPS = [
  'alice/apps/shop/info.php',
  'bob/apps/shop/info.php',
  'alice/apps/tool',
  'bob/apps/tool',
];
/** Between the tagged requests: what could leave bytes behind on a connection. */
const FAILURES = [
  'end-only',
  'close-in-body',
  'output-after-end',
  'two-ends',
  'close-unread',
  'drip',
];

let rig: FrontRig;
before(async () => {
  rig = await FrontRig.start({ worker: RESPONDER });
});
after(() => rig.stop());

interface Tally {
  whole: number;
  failed: number;
}

const isCrashLoop = (answer: HttpAnswer | undefined): boolean =>
  answer?.headers.get('x-usherd-reason')?.[0] === 'crash-loop';

async function browse(front: Front, browser: number, tally: Tally): Promise<void> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  for (let i = 0; i < REQUESTS_COUNT; i += 1) {
    const app = APPS[(browser + i) % APPS.length] ?? '';
    const path = `/~${app}`;
    if (i % 5 === browser % 5) {
      const mode = FAILURES[(browser + i) % FAILURES.length] ?? '';
      const kept = mode === 'close-in-body' ? {} : { agent };
      await front.request({ path: `${path}/x?mode=${mode}`, ...kept }).catch(() => undefined);
    }
    const tag = `${front.name}-${browser}-${i}`;
    const ask = (): Promise<HttpAnswer | undefined> =>
      front.request({ path: `${path}/?mode=tag&tag=${tag}`, agent }).catch(() => undefined);
    let answer = await ask();
    // Programs that die as often as these are in a crash loop at times, which is another promise.
    for (let tries = 0; isCrashLoop(answer) && tries < RESETS_MAX; tries += 1) {
      const [user, , name] = app.split('/');
      rig.router.supervisor.send({ type: 'reset', app: `${user}/${name}` });
      answer = await ask();
    }
    if (answer?.status !== 200) {
      tally.failed += 1;
      continue;
    }
    assert.equal(answer.body.toString('latin1'), `${path}|${tag}|`.repeat(200));
    tally.whole += 1;
  }
  agent.destroy();
}

for (const name of FRONT_NAMES) {
  describe(name, { skip: absence(name) }, () => {
    test('every browser gets the answers to its own requests', async () => {
      const front = rig.front(name);
      const tally = { whole: 0, failed: 0 };
      await Promise.all(
        Array.from({ length: BROWSERS_COUNT }, (_, browser) => browse(front, browser, tally)),
      );
      const total = BROWSERS_COUNT * REQUESTS_COUNT;
      assert.deepEqual(tally, { whole: total, failed: 0 });
      assert.ok(front.isAlive, front.log());
    });
  });
}
