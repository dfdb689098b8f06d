// `usherd status --watch`: goes on for hours, and ends when it is interrupted.
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { watch } from '../../../src/cli/status.js';

test('what is watched is shown again and again, leaves nothing behind, and ends', async (t) => {
  t.mock.method(process.stdout, 'write', () => true);
  const stop = new AbortController();
  const listenersCounts: number[] = [];
  const show = (): Promise<string> => {
    listenersCounts.push(getEventListeners(stop.signal, 'abort').length);
    if (listenersCounts.length === 20) stop.abort();
    return Promise.resolve('nothing wrong');
  };
  await watch(show, 1, stop.signal);
  assert.deepEqual(listenersCounts, Array<number>(20).fill(0));
});
