// A new edition of an application that does not come up, beside workers of the one before that serve.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { appParams, RouterRig } from '../../support/router-rig.js';
import { waitFor } from '../../support/wait-for.js';

const APP = 'alice/blog';

let rig: RouterRig | undefined;
afterEach(async () => {
  await rig?.stop();
  rig = undefined;
});

test('neither a POST nor a GET fails while workers of the edition before live', async () => {
  rig = await RouterRig.start({
    apps: {
      [APP]: { worker: { onRequest: (request) => request.reply('Status: 200\r\n\r\nold') } },
    },
  });
  const { supervisor } = rig;
  const front = await rig.front();
  await front.fetch(appParams(APP));
  let deaths = 0;
  const die = (): void => {
    const broken = [...supervisor.running.keys()].at(-1) ?? '';
    deaths += 1;
    supervisor.kill(broken);
  };
  supervisor.apps.set(APP, { worker: { onRequest: die } });

  for (let round = 1; round <= 3; round += 1) {
    supervisor.send({ type: 'restart', app: APP, user: '', reason: 'changed', hold: false });
    await waitFor('the new worker', () => supervisor.running.size > 1);
    for (const REQUEST_METHOD of ['POST', 'POST', 'GET', 'POST']) {
      const { status, body } = await front.fetch(appParams(APP, '/', { REQUEST_METHOD }));
      assert.deepEqual([status, body.toString()], [200, 'old'], REQUEST_METHOD);
    }
    assert.equal(deaths, round, 'a GET has tried it');
  }
});
