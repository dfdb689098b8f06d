// Whose private directory is due: an hour after the first worker, a day after each cleaning, whatever happens in between.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CleanSchedule } from '../../../src/spawner/clean-schedule.js';
import { LIMITS } from '../../../src/limits.js';

const TIMES = { firstAfterMs: 60, intervalMs: 1_000 };

test('nobody is due while nobody has had a worker', () => {
  assert.equal(new CleanSchedule(TIMES).next(), undefined);
});

test('a user is due some time after his first worker, and more workers change nothing', () => {
  const schedule = new CleanSchedule(TIMES);
  schedule.seen('alice', 10);
  schedule.seen('alice', 50);
  assert.deepEqual(schedule.next(), { user: 'alice', dueAtMs: 70 });
});

test('one is cleaned once in an interval, however many workers he starts', () => {
  const schedule = new CleanSchedule(TIMES);
  schedule.seen('alice', 0);
  schedule.done('alice', 100);
  schedule.seen('alice', 200);
  assert.deepEqual(schedule.next(), { user: 'alice', dueAtMs: 1_100 });
});

test('who has waited longest is next', () => {
  const schedule = new CleanSchedule(TIMES);
  schedule.seen('alice', 0);
  schedule.done('alice', 60);
  schedule.seen('bob', 900);
  schedule.seen('carol', 100);
  assert.equal(schedule.next()?.user, 'carol');
  schedule.done('carol', 160);
  assert.equal(schedule.next()?.user, 'bob');
  schedule.done('bob', 960);
  assert.equal(schedule.next()?.user, 'alice');
});

test('who was forgotten comes back with his next worker, and being done with him brings nothing back', () => {
  const schedule = new CleanSchedule(TIMES);
  schedule.seen('alice', 0);
  schedule.forget('alice');
  schedule.done('alice', 5);
  assert.equal(schedule.next(), undefined);
  schedule.seen('alice', 10);
  assert.equal(schedule.next()?.dueAtMs, 70);
});

test('it knows so many users and no more', () => {
  const schedule = new CleanSchedule(TIMES);
  for (let i = 0; i < LIMITS.cleanerUsersMaxCount; i += 1) schedule.seen(`u${i}`, 1_000);
  schedule.seen('late', 0);
  assert.equal(schedule.next()?.user, 'u0');
  schedule.forget('u0');
  schedule.seen('late', 0);
  assert.equal(schedule.next()?.user, 'late');
});
