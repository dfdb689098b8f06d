// Router and supervisor read the same files, each for itself: the router takes over only what the supervisor has read, too.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { appParams, RouterRig } from '../../support/router-rig.js';
import { waitFor } from '../../support/wait-for.js';

const OLD = '0'.repeat(64);
const NEW = 'a'.repeat(64);
const APP = {
  worker: {
    onRequest: (request: { reply: (text: string) => void }) =>
      request.reply('Content-Type: text/plain\r\n\r\nserved'),
  },
};

describe('a reload', () => {
  /** A router that would read, with this digest, that /srv has no applications any more. */
  async function begin(digest: string): Promise<RouterRig> {
    const rig = await RouterRig.start({ apps: { 'alice/app': APP } });
    const apps = { ...rig.config.apps, roots: ['/elsewhere/{user}/{app}'] };
    rig.nextConfig = { ...rig.config, digest, apps };
    return rig;
  }
  const statusOf = async (rig: RouterRig): Promise<number> =>
    (await (await rig.front()).fetch(appParams('alice/app'))).status;
  const answerOf = (rig: RouterRig, digest: string): Promise<string> =>
    waitFor('the answer', () => {
      const found = rig.supervisor.received.findLast((message) => message.type === 'reloaded');
      return found?.digest === digest ? `answer: ${found.detail}` : undefined;
    });

  test('of the same texts is taken over, and confirmed', async () => {
    const rig = await begin(NEW);
    try {
      assert.equal(await statusOf(rig), 200);
      rig.supervisor.send({ type: 'reload', digest: NEW });
      assert.equal(await answerOf(rig, NEW), 'answer: ');
      assert.equal(await statusOf(rig), 403);
    } finally {
      await rig.stop();
    }
  });

  test('of other texts is not, and the answer says so; what is in force stays', async () => {
    const rig = await begin(NEW);
    try {
      const other = 'b'.repeat(64);
      rig.supervisor.send({ type: 'reload', digest: other });
      assert.match(await answerOf(rig, other), /read different texts/);
      assert.equal(await statusOf(rig), 200);
      await rig.router.reload(); // by a signal: nothing that the supervisor does not have
      assert.equal(await statusOf(rig), 200);
    } finally {
      await rig.stop();
    }
  });

  test('is not waited for where the supervisor comes back with another configuration', async () => {
    const rig = await begin(NEW);
    try {
      assert.equal(await statusOf(rig), 200);
      rig.supervisor.send({ type: 'welcome', version: 'test', digest: OLD });
      assert.equal(await statusOf(rig), 200);
      rig.supervisor.send({ type: 'welcome', version: 'test', digest: NEW });
      rig.supervisor.send({ type: 'settled' });
      await waitFor('the new configuration', async () => (await statusOf(rig)) === 403);
    } finally {
      await rig.stop();
    }
  });
});
