// A router that may open few descriptors lets in fewer web servers than the configuration allows.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectionBound } from '../../../src/router/descriptor-limit.js';

test('there are descriptors for the workers of those who are let in', () => {
  assert.equal(connectionBound(8_192, 65_536).connectionsMax, 8_192);
  assert.equal(connectionBound(8_192, 20_480).connectionsMax, 8_192);
  assert.equal(connectionBound(8_192, 20_477).connectionsMax, 8_190);
  assert.equal(connectionBound(8_192, 1_024).connectionsMax, 409);
  assert.equal(connectionBound(8_192, 1).connectionsMax, 1);
  assert.equal(connectionBound(8_192, Infinity).connectionsMax, 8_192);
});

test('the limit is that of this process', () => {
  assert.ok(connectionBound(1).descriptorsMax >= 256);
});
