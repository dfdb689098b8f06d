// The applications that the router knows are bounded: who makes room for a new one, and who does not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '../../../src/limits.js';
import { AppRegistry } from '../../../src/router/app-registry.js';
import type { RequestFace } from '../../../src/router/request-types.js';

test('the oldest name that nobody waits for makes room, and none that has an answer to come', () => {
  const registry = new AppRegistry('/run/usherd');
  registry.obtain('alice/waits').pending.set({} as RequestFace, Infinity);
  registry.obtain('alice/asked').ticket = 1;
  registry.obtain('alice/runs').runtimes.add('php');
  for (let n = 3; n < LIMITS.appsMaxCount; n += 1) registry.obtain(`alice/app${n}`);
  registry.obtain('bob/first');
  registry.obtain('bob/second');
  assert.equal([...registry.apps()].length, LIMITS.appsMaxCount);
  for (const id of ['alice/waits', 'alice/asked', 'alice/runs', 'alice/app5', 'bob/first']) {
    assert.equal(registry.app(id)?.id, id);
  }
  for (const id of ['alice/app3', 'alice/app4']) assert.equal(registry.app(id), undefined);
});
