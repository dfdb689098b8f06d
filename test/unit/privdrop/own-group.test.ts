// When a primary group may stand for its account.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOwnGroup } from '../../../src/privdrop/own-group.js';
import { accountOf } from '../../support/tenants.js';

const ALICE = { ...accountOf(1_001), name: 'alice' };

test('a group of the same name, number, and nobody else is his own', () => {
  assert.equal(isOwnGroup('alice:x:1001:\n', ALICE), true);
  assert.equal(isOwnGroup('alice:x:1001:alice\n', ALICE), true);
});

test('a group with another name, another number, another member or another shape is not', () => {
  for (const line of [
    ...['users:x:1001:\n', 'alice:x:1002:\n', 'alice:x:1001:bob\n', 'alice:x:1001:alice,bob\n'],
    ...['', 'alice:x:1001\u0000:\n', 'alice:x:1001::\n', 'alice:x:1001:\nbob:x:1001:\n'],
  ]) {
    assert.equal(isOwnGroup(line, ALICE), false, line);
  }
});
