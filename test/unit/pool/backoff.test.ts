import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  NO_BACKOFF,
  afterCrash,
  afterHealth,
  afterReset,
  blockedMs,
  type Backoff,
} from '../../../src/pool/index.js';

/** A worker asked for after the last failure dies. */
const crash = (backoff: Backoff, nowMs: number, random = 0.5): Backoff =>
  afterCrash(backoff, { nowMs, batch: backoff.batch, wasHealthy: false, random });

test('the delay doubles from one second up to one minute and never gives up', () => {
  let backoff = NO_BACKOFF;
  let nowMs = 0;
  const delays: number[] = [];
  for (let count = 0; count < 50; count += 1) {
    backoff = crash(backoff, nowMs);
    delays.push(blockedMs(backoff, nowMs) / 1000);
    nowMs += blockedMs(backoff, nowMs);
  }
  assert.deepEqual(delays.slice(0, 8), [1, 2, 4, 8, 16, 32, 60, 60]);
  assert.equal(delays.at(-1), 60);
  assert.equal(blockedMs(backoff, nowMs), 0);
});

test('the jitter is a fifth up and down, and the minute stays the limit', () => {
  assert.equal(blockedMs(crash(NO_BACKOFF, 0, 0), 0), 800);
  assert.ok(Math.abs(blockedMs(crash(NO_BACKOFF, 0, 0.999_999), 0) - 1200) < 1);
  let backoff = NO_BACKOFF;
  for (let nowMs = 0; nowMs < 20; nowMs += 1) backoff = crash(backoff, nowMs, 0.999_999);
  assert.equal(blockedMs(backoff, 19), 60_000);
});

test('workers that were started together are one failure', () => {
  const first = afterCrash(NO_BACKOFF, { nowMs: 50, batch: 0, wasHealthy: false, random: 0.5 });
  const second = afterCrash(first, { nowMs: 60, batch: 0, wasHealthy: false, random: 0.5 });
  assert.equal(second, first);
  assert.equal(blockedMs(second, 50), 1000);
});

test('a healthy worker that dies blocks nothing', () => {
  const backoff = afterCrash(afterHealth(NO_BACKOFF), {
    nowMs: 100,
    batch: 0,
    wasHealthy: true,
    random: 0.5,
  });
  assert.equal(blockedMs(backoff, 100), 0);
  assert.equal(backoff.failures, 0);
});

test('after health the first young death is forgiven, the next ones are not', () => {
  const first = crash(afterHealth(NO_BACKOFF), 100);
  assert.equal(blockedMs(first, 100), 0);
  const second = crash(first, 200);
  assert.equal(blockedMs(second, 200), 1000);
  assert.equal(blockedMs(crash(second, 1200), 1200), 2000);
});

test('health ends the back-off at once', () => {
  let backoff = NO_BACKOFF;
  for (let nowMs = 0; nowMs < 6; nowMs += 1) backoff = crash(backoff, nowMs);
  assert.ok(blockedMs(backoff, 6) > 10_000);
  assert.equal(blockedMs(afterHealth(backoff), 6), 0);
});

test('workers from before a reset do not count any more', () => {
  const backoff = afterReset(crash(NO_BACKOFF, 0));
  assert.equal(blockedMs(backoff, 0), 0);
  const late = afterCrash(backoff, { nowMs: 1, batch: 0, wasHealthy: false, random: 0.5 });
  assert.equal(late, backoff);
});
