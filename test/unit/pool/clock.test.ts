import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { systemClock } from '../../../src/pool/index.js';

test('the clock of the system rings once, no earlier than asked for', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    let rings = 0;
    systemClock.schedule(10.2, () => {
      rings += 1;
    });
    mock.timers.tick(10);
    assert.equal(rings, 0);
    mock.timers.tick(1);
    assert.equal(rings, 1);
    mock.timers.tick(100);
    assert.equal(rings, 1);
  } finally {
    mock.timers.reset();
  }
});

test('a cancelled timer does not ring, and cancelling nothing is no mistake', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    let rings = 0;
    systemClock.cancel(systemClock.schedule(5, () => (rings += 1)));
    systemClock.cancel(undefined);
    mock.timers.tick(100);
    assert.equal(rings, 0);
  } finally {
    mock.timers.reset();
  }
});

test('a delay beyond what the system takes does not ring at once', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    let rings = 0;
    systemClock.schedule(2 ** 40, () => (rings += 1));
    mock.timers.tick(1_000_000);
    assert.equal(rings, 0);
  } finally {
    mock.timers.reset();
  }
});

test('the time of the system never runs backwards', () => {
  const first = systemClock.now();
  assert.ok(systemClock.now() >= first);
});
