// Workers that are to be kept although nobody asks for them, of applications that cannot have any.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ErrorCode } from '../../../src/errors.js';
import { PoolStage, STOPPED } from '../../support/pool-stage.js';

const HOUR_S = 3_600;

/** How often a worker is asked for in an hour in which the supervisor refuses every one, and nobody asks for a page. */
function asksInAnHour(stage: PoolStage, code: ErrorCode): number {
  let asks = 0;
  for (let second = 0; second < HOUR_S; second += 1) {
    while (stage.needs.length > 0) {
      asks += 1;
      stage.refuseNeed(code, 0);
    }
    stage.clock.advance(1_000);
  }
  return asks;
}

function orphaned(): PoolStage {
  const stage = new PoolStage();
  stage.configure({ minWorkers: 1 });
  stage.set.exited(stage.spawn(), STOPPED);
  return stage;
}

for (const code of [
  'E_APP_UNKNOWN',
  'E_APP_EMPTY',
  'E_RUNTIME_MISSING',
  'E_MANIFEST_INVALID',
] as const)
  test(`${code}: nobody looks for it every second for ever`, () => {
    const asks = asksInAnHour(orphaned(), code);
    assert.ok(asks <= 100, `${asks} launches`);
  });

test('while the old edition serves, a new one that cannot be started is not tried every second', () => {
  const stage = new PoolStage();
  stage.configure({ maxWorkersPerApp: 2 });
  const worker = stage.warm();
  stage.set.drain('alice/blog', undefined, 'reload', { hold: false });
  let asks = 0;
  for (let tenth = 0; tenth < 6_000; tenth += 1) {
    stage.serveOne(`r${tenth}`, worker);
    while (stage.needs.length > 0) {
      asks += 1;
      stage.refuseNeed('E_MANIFEST_INVALID', 5_000);
    }
    stage.clock.advance(90);
  }
  assert.deepEqual(stage.refused, []);
  assert.ok(asks > 5 && asks <= 20, `${asks} launches in ten minutes`);
});

test('what is changed, or asked for, is looked at as soon as ever', () => {
  const stage = orphaned();
  asksInAnHour(stage, 'E_APP_UNKNOWN');
  stage.clock.advance(1_000);
  assert.deepEqual(stage.needs, []);
  stage.submit('a');
  assert.deepEqual(stage.needs, ['alice/blog']);
  stage.refuseNeed('E_MANIFEST_INVALID', 5_000);
  stage.set.drain('alice/blog', undefined, 'reload', { hold: false });
  assert.deepEqual(stage.needs, ['alice/blog']);
  const worker = stage.spawn();
  stage.set.exited(worker, STOPPED);
  assert.deepEqual(stage.needs, ['alice/blog'], 'the refusals of before do not count any more');
});
