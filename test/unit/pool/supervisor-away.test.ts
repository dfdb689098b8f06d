// No supervisor, suspended users, shutting down, and what is forgotten.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FAILED, PoolStage, STOPPED } from '../../support/pool-stage.js';

test('without a supervisor living workers serve and nothing is asked for', () => {
  const stage = new PoolStage();
  stage.configure();
  const worker = stage.warm();
  stage.set.supervisorLost();
  stage.submit('a');
  stage.submit('b');
  stage.clock.advance(10_000);
  assert.deepEqual([stage.needs, stage.refused], [[], []]);
  stage.set.ended(worker, 'clean');
  assert.equal(stage.workerOf('b'), worker);
});

test('cold requests wait five seconds for the supervisor, later ones not at all', () => {
  const stage = new PoolStage();
  stage.configure();
  stage.set.supervisorLost();
  stage.submit('early');
  stage.clock.advance(4999);
  assert.equal(stage.codeOf('early'), undefined);
  stage.clock.advance(1);
  assert.equal(stage.codeOf('early'), 'E_SUPERVISOR_AWAY');
  stage.submit('late');
  assert.equal(stage.codeOf('late'), 'E_SUPERVISOR_AWAY');
});

test('when the supervisor is back in time everything that waits is asked for', () => {
  const stage = new PoolStage();
  stage.configure();
  stage.submit('a');
  assert.equal(stage.needs.splice(0).length, 1);
  stage.set.supervisorLost();
  assert.equal(stage.set.counts().slots, 0, 'the lost question holds no slot');
  stage.submit('b');
  stage.clock.advance(4500);
  stage.set.supervisorBack();
  assert.equal(stage.needs.length, 2);
  stage.clock.advance(5000);
  assert.deepEqual(stage.refused, []);
});

test('a suspended user is refused at once, the requests that run may end', () => {
  const stage = new PoolStage();
  for (const app of ['alice/a', 'bob/a']) stage.configure({ maxWorkersPerApp: 1 }, app);
  const worker = stage.warm('alice/a');
  stage.submit('busy', 'alice/a');
  stage.submit('waits', 'alice/a');
  stage.set.drain(undefined, 'alice', 'shutdown', { hold: true });
  stage.submit('next', 'alice/a');
  assert.deepEqual([stage.codeOf('waits'), stage.codeOf('next')], ['E_SUSPENDED', 'E_SUSPENDED']);
  assert.deepEqual(stage.retired, []);
  stage.set.ended(worker, 'clean');
  assert.deepEqual(stage.retired, [{ worker, reason: 'shutdown' }]);
  stage.submit('b', 'bob/a');
  assert.deepEqual(stage.needs, ['bob/a']);
  assert.equal(stage.describe('alice/a').state, 'suspended');
});

test('an application that appears while its user is suspended is suspended too, until resume', () => {
  const stage = new PoolStage();
  stage.set.drain(undefined, 'alice', 'shutdown', { hold: true });
  stage.set.drain('bob/x', undefined, 'shutdown', { hold: true });
  stage.configure({ minWorkers: 1 }, 'alice/new');
  stage.configure({}, 'bob/x');
  stage.configure({}, 'bob/y');
  for (const app of ['alice/new', 'bob/x', 'bob/y']) stage.submit(app, app);
  assert.equal(stage.codeOf('alice/new'), 'E_SUSPENDED');
  assert.equal(stage.codeOf('bob/x'), 'E_SUSPENDED');
  assert.deepEqual(stage.needs, ['bob/y']);
  stage.set.resume('alice');
  stage.set.resume('bob');
  stage.submit('x', 'bob/x');
  assert.deepEqual(stage.needs, ['bob/y', 'alice/new', 'bob/x']);
});

test('a worker that comes for a suspended application is sent back and keeps its slot until it is gone', () => {
  const stage = new PoolStage();
  stage.configure();
  stage.submit('a');
  stage.set.drain('alice/blog', undefined, 'shutdown', { hold: true });
  const worker = stage.spawn();
  assert.deepEqual(stage.retired, [{ worker, reason: 'surplus' }]);
  assert.equal(stage.set.counts().slots, 1);
  stage.set.exited(worker, STOPPED);
  assert.equal(stage.set.counts().slots, 0);
});

test('when usherd stops, everybody is told so, also by pools that come later', () => {
  const stage = new PoolStage();
  stage.configure();
  const worker = stage.warm();
  stage.set.drain(undefined, undefined, 'shutdown', { hold: true });
  assert.deepEqual(stage.retired, [{ worker, reason: 'shutdown' }]);
  stage.configure({}, 'bob/x');
  stage.submit('a');
  stage.submit('b', 'bob/x');
  stage.set.resume('bob');
  stage.submit('c', 'bob/x');
  assert.deepEqual(
    stage.refused.map((one) => one.code),
    ['E_SHUTDOWN', 'E_SHUTDOWN', 'E_SHUTDOWN'],
  );
});

test('closing refuses who waits and leaves no timer', () => {
  const stage = new PoolStage();
  stage.configure();
  stage.warm();
  stage.configure({}, 'bob/x');
  stage.submit('waits', 'bob/x');
  stage.set.supervisorLost();
  stage.set.close();
  assert.equal(stage.codeOf('waits'), 'E_SHUTDOWN');
  assert.equal(stage.clock.armed, 0);
});

test('a quiet pool is forgotten after a minute and can be configured anew', () => {
  const stage = new PoolStage();
  stage.configure();
  const worker = stage.warm();
  stage.clock.advance(300_000);
  stage.set.exited(worker, STOPPED);
  stage.clock.advance(59_999);
  assert.equal(stage.set.has('alice/blog', 'php'), true);
  stage.clock.advance(1);
  assert.equal(stage.set.has('alice/blog', 'php'), false);
  assert.equal(stage.set.counts().pools, 0);
  stage.configure();
  stage.submit('a');
  assert.deepEqual(stage.needs, ['alice/blog']);
});

test('five thousand idle applications leave nothing behind, not even a timer', () => {
  const stage = new PoolStage({ maxWorkers: 16 });
  for (let index = 0; index < 5000; index += 1) stage.configure({}, `u${index % 500}/a${index}`);
  assert.equal(stage.set.counts().pools, 5000);
  assert.equal(stage.clock.armed, 1, 'one timer for all of them');
  stage.clock.advance(60_000);
  assert.equal(stage.set.counts().pools, 0);
  assert.equal(stage.clock.armed, 0);
});

test('a pool is remembered while it backs off, waits, or has to keep workers', () => {
  const stage = new PoolStage();
  stage.configure({ minWorkers: 1 }, 'a/static');
  stage.spawn('a/static');
  stage.configure({}, 'b/crashes');
  let crashes = 0;
  for (let seconds = 0; seconds < 300; seconds += 1) {
    stage.submit('r', 'b/crashes');
    while (stage.needs.length > 0) {
      crashes += 1;
      stage.set.exited(stage.spawn('b/crashes'), FAILED);
    }
    stage.clock.advance(1000);
  }
  assert.ok(crashes <= 11, `${crashes} starts: the back-off was forgotten`);
  assert.equal(stage.set.counts().pools, 2);
});

test('a pool that was used from time to time is not forgotten in between', () => {
  const stage = new PoolStage();
  stage.configure({ idleTimeoutMs: 1000 });
  for (let minute = 0; minute < 5; minute += 1) {
    const worker = stage.warm();
    stage.clock.advance(1000);
    stage.set.exited(worker, STOPPED);
    stage.clock.advance(49_000);
    assert.equal(stage.set.has('alice/blog', 'php'), true);
  }
});

test('the counts add up', () => {
  const stage = new PoolStage();
  stage.configure({ maxWorkersPerApp: 1, queueLength: 2 });
  stage.warm();
  stage.submit('busy');
  const gone = stage.submit('gone');
  stage.submit('waits');
  stage.submit('overflow');
  stage.set.withdraw(gone);
  assert.deepEqual(stage.set.counts(), {
    submitted: 5,
    assigned: 2,
    refused: 1,
    withdrawn: 1,
    waiting: 1,
    pools: 1,
    slots: 1,
    workers: 1,
    busy: 1,
  });
  assert.deepEqual(stage.describe(), {
    app: 'alice/blog',
    runtime: 'php',
    state: 'running',
    queue: 1,
    served: 1,
    refused: 1,
    workers: [{ worker: 'w1', pid: 1, state: 'ready', requestsServed: 1, inFlight: 1, ageMs: 0 }],
  });
});
