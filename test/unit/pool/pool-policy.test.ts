import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  hasRoom,
  recheckAfterMs,
  reserveOf,
  workersForLoad,
  workersToStart,
  yields,
  type Bounds,
  type Load,
} from '../../../src/pool/pool-policy.js';

const QUIET: Load = {
  queued: 0,
  oldestWaitMs: 0,
  asked: 0,
  starting: 0,
  startingFree: 0,
  busy: 0,
  concurrency: 1,
  startMs: undefined,
  serviceMs: undefined,
};
const OPEN: Bounds = { count: 0, max: 4, usable: 0, min: 0, renew: false, isProbing: false };

test('a cold application with fifty waiting requests starts its cap at once', () => {
  assert.equal(workersToStart({ ...QUIET, queued: 50 }, OPEN), 4);
});

test('a cold application with one request starts one worker', () => {
  assert.equal(workersToStart({ ...QUIET, queued: 1 }, OPEN), 1);
});

test('workers that are coming cover as many requests as they take', () => {
  assert.equal(workersForLoad({ ...QUIET, queued: 3, asked: 2 }), 1);
  assert.equal(workersForLoad({ ...QUIET, queued: 2, asked: 2 }), 0);
  assert.equal(workersForLoad({ ...QUIET, queued: 21, asked: 2, concurrency: 10 }), 1);
  assert.equal(workersForLoad({ ...QUIET, queued: 5, starting: 1, startingFree: 5 }), 0);
});

test('without data a start is never kept back', () => {
  assert.equal(workersForLoad({ ...QUIET, queued: 2, busy: 4, startMs: 50 }), 2);
  assert.equal(workersForLoad({ ...QUIET, queued: 2, busy: 4, serviceMs: 1 }), 2);
});

test('no worker is started for requests that busy ones take sooner', () => {
  const load: Load = { ...QUIET, queued: 8, busy: 2, startMs: 100, serviceMs: 50 };
  // Two workers take four requests in the 100 ms of a start.
  assert.equal(workersForLoad(load), 4);
  assert.equal(workersForLoad({ ...load, queued: 4 }), 0);
  assert.equal(workersForLoad({ ...load, serviceMs: 5000 }), 8);
  assert.equal(workersForLoad({ ...load, serviceMs: 0 }), 0);
});

test('an estimate that proves wrong is given up after the time of a start', () => {
  const load: Load = { ...QUIET, queued: 1, busy: 2, startMs: 100, serviceMs: 5 };
  assert.equal(workersForLoad(load), 0);
  assert.equal(recheckAfterMs({ ...load, oldestWaitMs: 30 }), 70);
  assert.equal(workersForLoad({ ...load, oldestWaitMs: 100 }), 1);
  assert.equal(recheckAfterMs({ ...load, oldestWaitMs: 100 }), undefined);
  assert.equal(recheckAfterMs(QUIET), undefined);
});

test('the cap counts every process, whatever its state', () => {
  const load: Load = { ...QUIET, queued: 50 };
  assert.equal(workersToStart(load, { ...OPEN, count: 3 }), 1);
  assert.equal(workersToStart(load, { ...OPEN, count: 4 }), 0);
  assert.equal(workersToStart(load, { ...OPEN, count: 5 }), 0);
});

test('a static application is filled up to its number without any request', () => {
  assert.equal(workersToStart(QUIET, { ...OPEN, min: 2 }), 2);
  assert.equal(workersToStart(QUIET, { ...OPEN, min: 2, usable: 1, count: 1 }), 1);
  assert.equal(workersToStart(QUIET, { ...OPEN, min: 6 }), 4);
});

test('as long as nothing has come up since a crash one start at a time is enough', () => {
  const load: Load = { ...QUIET, queued: 50 };
  const bounds: Bounds = { ...OPEN, isProbing: true };
  assert.equal(workersToStart(load, bounds), 1);
  assert.equal(workersToStart({ ...load, asked: 1 }, { ...bounds, count: 1 }), 0);
  assert.equal(workersToStart({ ...load, starting: 1 }, { ...bounds, count: 1 }), 0);
});

test('a renewal is asked for even at the cap', () => {
  assert.equal(workersToStart(QUIET, { ...OPEN, count: 4, renew: true }), 1);
});

test('an eighth of all slots, and at least one, is kept for users without any', () => {
  assert.deepEqual([1, 7, 8, 16, 1024].map(reserveOf), [1, 1, 1, 2, 128]);
  assert.equal(hasRoom(1, 13, 16, 2), true);
  assert.equal(hasRoom(1, 14, 16, 2), false);
  assert.equal(hasRoom(0, 15, 16, 2), true);
  assert.equal(hasRoom(0, 16, 16, 2), false);
});

test('a free worker is given up by who has no use for it, or more of them', () => {
  const contest = { held: 2, waitersHeld: 1, waitedMs: 0, isWanted: true };
  assert.equal(yields({ ...contest, isWanted: false }), true);
  assert.equal(yields(contest), false);
  assert.equal(yields({ ...contest, held: 3 }), true);
});

test('those who have one each take turns, but not at once', () => {
  const contest = { held: 1, waitersHeld: 0, waitedMs: 1999, isWanted: true };
  assert.equal(yields(contest), false);
  assert.equal(yields({ ...contest, waitedMs: 2000 }), true);
  assert.equal(yields({ ...contest, waitersHeld: 1, waitedMs: 60_000 }), false);
});
