// A router and a supervisor of two versions, as after an upgrade of which only one half was restarted.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { IPC_PROTOCOL } from '../../../src/ipc/index.js';
import { TEST_DIGEST } from '../../support/config.js';
import { appParams, RouterRig } from '../../support/router-rig.js';
import { waitFor } from '../../support/wait-for.js';

const APP = 'alice/blog';
const APPS = {
  [APP]: {
    worker: {
      onRequest: (request: { reply: (text: string) => void }) =>
        request.reply('Status: 200\r\n\r\nhere'),
    },
  },
};

let rig: RouterRig | undefined;
afterEach(async () => {
  await rig?.stop();
  rig = undefined;
});

const hellos = ({ supervisor }: RouterRig): number =>
  supervisor.received.filter(({ type }) => type === 'hello').length;

/** From now on, and after the connection was lost, the supervisor is one of another version. */
function becomes({ supervisor }: RouterRig, protocol: number): void {
  supervisor.onHello = () => {
    supervisor.send({ type: 'foreign', protocol });
    supervisor.disconnect();
  };
  supervisor.disconnect();
}

test('a router whose supervisor comes back newer ends, and does not ask it again', async () => {
  rig = await RouterRig.start({ apps: APPS });
  const started = rig;
  await (await started.front()).fetch(appParams(APP));
  becomes(started, IPC_PROTOCOL + 1);
  await waitFor('the wish to end', () => started.isOutdated);
  assert.equal(hellos(started), 2);
});

test('a router that is newer than its supervisor stays, and serves when that is restarted', async () => {
  rig = await RouterRig.start({ apps: APPS });
  const started = rig;
  await (await started.front()).fetch(appParams(APP));
  becomes(started, IPC_PROTOCOL - 1);
  await waitFor('two more greetings', () => hellos(started) >= 3);
  started.supervisor.onHello = () => {
    started.supervisor.send({ type: 'welcome', version: 'test', digest: TEST_DIGEST });
    started.supervisor.send({ type: 'settled' });
  };
  assert.equal((await (await started.front()).fetch(appParams(APP))).status, 200);
  assert.equal(started.isOutdated, false);
});

test('a router that was never welcome does not end: the next one would be no other', async () => {
  rig = await RouterRig.start({ apps: APPS, withoutSupervisor: true });
  const started = rig;
  becomes(started, IPC_PROTOCOL + 1);
  await started.supervisor.listen();
  await waitFor('several greetings', () => hellos(started) >= 3);
  assert.equal(started.isOutdated, false);
});
