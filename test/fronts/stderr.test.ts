// [front] copy_stderr through every web server: the answer stays whole, and Apache, nginx and lighttpd have the line in their logs.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { absence, FrontRig } from '../support/fronts/front-rig.js';
import { FRONT_NAMES, type FrontName } from '../support/fronts/front.js';
import { RESPONDER, WHOLE } from '../support/fronts/responder.js';
import { waitFor } from '../support/wait-for.js';

const LOGGING: ReadonlySet<FrontName> = new Set(['apache', 'nginx', 'lighttpd']);

let rig: FrontRig;
before(async () => {
  rig = await FrontRig.start({ worker: RESPONDER, copyStderr: true });
});
after(() => rig.stop());

for (const name of FRONT_NAMES) {
  describe(name, { skip: absence(name) }, () => {
    for (const mode of ['stderr-before', 'stderr-in-head', 'stderr-between', 'stderr-after']) {
      test(`${mode}: the answer comes whole`, async () => {
        const front = rig.front(name);
        const answer = await front.request({ path: `/~alice/apps/tool/x?mode=${mode}` });
        assert.equal(answer.status, 200);
        assert.equal(answer.body.toString('latin1'), WHOLE);
        assert.ok(answer.isComplete);
        assert.ok(front.isAlive, front.log());
      });
    }

    test('stderr-only: the answer is the 502 of usherd', async () => {
      const front = rig.front(name);
      const answer = await front.request({ path: '/~alice/apps/tool/x?mode=stderr-only' });
      assert.equal(answer.status, 502);
      assert.ok(front.isAlive, front.log());
    });

    if (!LOGGING.has(name)) return;
    test('what the program said is in the log of the web server', async () => {
      await waitFor('the line', () => rig.front(name).log().includes('nothing but this'));
    });
  });
}
