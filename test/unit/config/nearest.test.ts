// Suggestions for names with slips.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { editDistance, nearestName } from '../../../src/config/nearest.js';

const KEYS = ['queue_length', 'queue_timeout', 'idle_timeout', 'max_body', 'uid', 'gid'];

test('a slip of the finger is recognised', () => {
  assert.equal(nearestName('queue_lenght', KEYS), 'queue_length');
  assert.equal(nearestName('queuetimeout', KEYS), 'queue_timeout');
  assert.equal(nearestName('idle-timeout', KEYS), 'idle_timeout');
  assert.equal(nearestName('Max_Body', KEYS), 'max_body');
  assert.equal(nearestName('uidd', KEYS), 'uid');
  assert.equal(nearestName('udi', KEYS), 'uid', 'letters that have changed places');
});

test('what is like nothing gets no suggestion', () => {
  assert.equal(nearestName('color', KEYS), undefined);
  assert.equal(nearestName('', KEYS), undefined);
  assert.equal(nearestName('x'.repeat(41), ['x'.repeat(41)]), undefined);
  assert.equal(nearestName('uid', []), undefined);
});

test('the distance counts inserted, deleted and replaced letters', () => {
  assert.equal(editDistance('', ''), 0);
  assert.equal(editDistance('abc', 'abc'), 0);
  assert.equal(editDistance('', 'abc'), 3);
  assert.equal(editDistance('abc', ''), 3);
  assert.equal(editDistance('kitten', 'sitting'), 3);
  assert.equal(editDistance('levle', 'level'), 1);
  assert.equal(editDistance('ab', 'ba'), 1);
  assert.equal(editDistance('abab', 'bbaa'), 2);
});
