// A router that stops: what a web server sends on a kept connection at that moment is not lost.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitFor } from '../../support/wait-for.js';
import { GET, hello, stages } from '../../support/wire-stage.js';

const start = stages();

test('a kept connection is served once more, and closed with that answer', async () => {
  const { rig, front } = await start(hello);
  assert.equal((await front.fetch(GET)).status, 200);
  const stopped = rig.router.stop();
  assert.equal((await front.fetch(GET)).status, 200);
  await waitFor('the end of the connection', () => front.isEnded);
  await stopped;
});

test('a kept connection on which nothing comes is closed', async () => {
  const { rig, front } = await start(hello);
  assert.equal((await front.fetch(GET)).status, 200);
  await rig.router.stop();
  await waitFor('the end of the connection', () => front.isEnded);
});
