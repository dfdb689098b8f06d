// How a pool grows with its load, and what waiting requests get.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KILLED, PoolStage, STOPPED } from '../../support/pool-stage.js';

test('fifty requests to a cold application ask for the cap at once and are all served', () => {
  const stage = new PoolStage();
  stage.configure({ maxWorkersPerApp: 10, maxWorkersPerUser: 10 });
  stage.submitMany(50);
  assert.equal(stage.needs.length, 10);
  for (let count = 0; count < 10; count += 1) stage.spawn();
  assert.equal(stage.assigned.length, 10);
  // Each end brings another assignment to the list, until all fifty are there.
  for (const { worker } of stage.assigned) {
    stage.set.ready(worker);
    stage.set.ended(worker, 'clean');
  }
  assert.deepEqual(
    stage.assigned.map((one) => one.request),
    Array.from({ length: 50 }, (_, index) => `r${index + 1}`),
  );
  assert.deepEqual(stage.refused, []);
});

test('a free worker takes a request within the call', () => {
  const stage = new PoolStage();
  stage.configure();
  const worker = stage.warm();
  stage.submit('a');
  assert.equal(stage.workerOf('a'), worker);
  assert.deepEqual(stage.needs, []);
});

test('a starting worker has its requests before it has answered, as many as it takes', () => {
  const stage = new PoolStage();
  stage.configure();
  stage.submitMany(3);
  stage.spawn('alice/blog', { concurrency: 2 });
  assert.deepEqual(
    stage.assigned.map((one) => one.request),
    ['r1', 'r2'],
  );
});

test('a worker that has answered comes before one that starts', () => {
  const stage = new PoolStage();
  stage.configure();
  const old = stage.warm();
  stage.submit('a');
  stage.submit('b');
  stage.set.ended(old, 'clean');
  stage.spawn();
  stage.submit('c');
  assert.equal(stage.workerOf('b'), old);
  stage.set.ended(old, 'clean');
  stage.submit('d');
  assert.equal(stage.workerOf('d'), old);
});

test('of several idle workers the last used one is taken, so that the others can go', () => {
  const stage = new PoolStage();
  stage.configure();
  stage.submitMany(2);
  const [one, two] = [stage.spawn(), stage.spawn()];
  for (const worker of [one, two]) stage.set.ready(worker);
  stage.set.ended(two, 'clean');
  stage.clock.advance(5);
  stage.set.ended(one, 'clean');
  for (const name of ['a', 'b', 'c']) {
    stage.serveOne(name, one);
    assert.equal(stage.workerOf(name), one);
  }
});

test('a worker about to be free is waited for when a start would take longer', () => {
  const stage = new PoolStage();
  stage.configure();
  const worker = stage.warm();
  stage.serveOne('a', worker, 10);
  stage.submit('x');
  stage.submit('y');
  stage.clock.advance(100);
  const second = stage.spawn();
  stage.clock.advance(20);
  stage.set.ready(second);
  for (const one of [worker, second]) stage.set.ended(one, 'clean');
  // Now a request is known to take some 20 ms and a start more than 100 ms.
  stage.submitMany(3);
  assert.deepEqual(stage.needs, []);
  stage.set.ended(worker, 'clean');
  assert.equal(stage.workerOf('r3'), worker);
});

test('a request that waits as long as a start takes has one after all', () => {
  const stage = new PoolStage();
  stage.configure();
  const worker = stage.warm();
  stage.serveOne('a', worker, 10);
  stage.submit('x');
  stage.submit('y');
  stage.clock.advance(100);
  const second = stage.spawn();
  stage.clock.advance(20);
  stage.set.ready(second);
  for (const one of [worker, second]) stage.set.ended(one, 'clean');
  stage.submitMany(3);
  assert.deepEqual(stage.needs, []);
  stage.clock.advance(1000);
  assert.deepEqual(stage.needs, ['alice/blog']);
});

test('a request whose client left is never assigned and no longer asks for a worker', () => {
  const stage = new PoolStage();
  stage.configure({ maxWorkersPerApp: 1 });
  const worker = stage.warm();
  stage.submit('busy');
  const gone = Array.from({ length: 100 }, (_, index) => stage.submit(`gone${index}`));
  const stays = stage.submit('overflow');
  for (const request of gone) assert.equal(stage.set.withdraw(request), true);
  assert.equal(stage.set.withdraw(stays), false);
  stage.submit('last');
  stage.set.ended(worker, 'clean');
  assert.equal(stage.assigned.at(-1)?.request, 'last');
  assert.ok(!stage.assigned.some((one) => one.request.startsWith('gone')));
  assert.equal(stage.codeOf('overflow'), 'E_QUEUE_FULL');
});

test('a full queue refuses within the call, with a time to come back', () => {
  const stage = new PoolStage();
  stage.configure({ queueLength: 20, maxWorkersPerApp: 5 });
  stage.submitMany(500);
  for (let index = 0; index < 5; index += 1) stage.spawn();
  // 20 waited for the five workers; the five that they took made no room, because nobody came after.
  assert.equal(stage.refused.length, 480);
  assert.ok(stage.refused.every((one) => one.code === 'E_QUEUE_FULL' && one.retryAfterMs > 0));
});

test('a request that waited in vain is refused at its deadline', () => {
  const stage = new PoolStage();
  stage.configure({ maxWorkersPerApp: 1, queueTimeoutMs: 5000 });
  stage.warm();
  stage.submit('busy');
  stage.submit('waits');
  stage.clock.advance(4999);
  assert.equal(stage.codeOf('waits'), undefined);
  stage.clock.advance(1);
  assert.equal(stage.codeOf('waits'), 'E_QUEUE_DEADLINE');
  assert.equal(stage.set.counts().waiting, 0);
});

test('a retried request is served before those that waited, even in a full queue', () => {
  const stage = new PoolStage();
  stage.configure({ maxWorkersPerApp: 1, queueLength: 1 });
  const worker = stage.warm();
  stage.submit('busy');
  stage.submit('waits');
  stage.submit('again', 'alice/blog', { retried: true });
  stage.set.ended(worker, 'clean');
  stage.set.ended(worker, 'clean');
  assert.deepEqual(
    stage.assigned.slice(-2).map((one) => one.request),
    ['again', 'waits'],
  );
});

test('the death of a worker is answered by the next start within the same call', () => {
  const stage = new PoolStage();
  stage.configure({ maxWorkersPerApp: 1 });
  const worker = stage.warm();
  stage.submit('busy');
  stage.submit('waits');
  stage.set.exited(worker, KILLED);
  assert.deepEqual(stage.needs, ['alice/blog']);
  stage.submit('busy', 'alice/blog', { retried: true });
  const next = stage.spawn();
  assert.equal(stage.workerOf('busy'), next);
});

test('a static application has its workers without a request and keeps them', () => {
  const stage = new PoolStage();
  stage.configure({ minWorkers: 2, idleTimeoutMs: 1000 });
  assert.equal(stage.needs.length, 2);
  const [one] = [stage.spawn(), stage.spawn()];
  stage.clock.advance(600_000);
  assert.deepEqual(stage.retired, []);
  stage.set.exited(one, STOPPED);
  assert.equal(stage.needs.length, 1);
});

test('a static application that dies at its start is tried again without a request, and slower', () => {
  const stage = new PoolStage();
  stage.configure({ minWorkers: 1 });
  let starts = 0;
  for (let seconds = 0; seconds < 600; seconds += 1) {
    while (stage.needs.length > 0) {
      starts += 1;
      stage.set.exited(stage.spawn(), {
        phase: 'launch',
        wanted: false,
        code: 1,
        signal: undefined,
      });
    }
    stage.clock.advance(1000);
  }
  // 1 + 2 + 4 + ... + 32 s, then once a minute.
  assert.ok(starts >= 14 && starts <= 17, `${starts} starts`);
});

test('one that is kept and dies is replaced although nobody has asked the others for anything yet', () => {
  const stage = new PoolStage();
  stage.configure({ minWorkers: 3 });
  const [one] = [stage.spawn(), stage.spawn(), stage.spawn()];
  stage.set.exited(one, KILLED);
  assert.equal(stage.needs.length, 0, 'nobody knows whether the others will come up');
  stage.clock.advance(60_000);
  assert.equal(stage.needs.length, 1);
});

test('an adopted worker serves at once and a known one is not counted twice', () => {
  const stage = new PoolStage();
  stage.configure();
  const worker = stage.nextWorker();
  stage.set.adopted('alice/blog', 'php', worker);
  stage.set.adopted('alice/blog', 'php', worker);
  assert.equal(stage.set.counts().slots, 1);
  stage.submit('a');
  assert.equal(stage.workerOf('a'), worker.worker);
});

test('an answer that comes twice is one worker', () => {
  const stage = new PoolStage();
  stage.configure();
  stage.submitMany(2);
  const worker = stage.nextWorker();
  stage.set.spawned('alice/blog', 'php', worker);
  stage.set.spawned('alice/blog', 'php', worker);
  assert.deepEqual(
    stage.assigned.map((one) => one.request),
    ['r1'],
  );
  assert.equal(stage.set.counts().slots, 2, 'the other question is still open');
});

test('a worker that nobody can use is sent back', () => {
  const stage = new PoolStage();
  stage.set.spawned('bob/none', 'php', stage.nextWorker());
  stage.set.adopted('bob/none', 'php', stage.nextWorker());
  assert.deepEqual(
    stage.retired.map((one) => one.reason),
    ['surplus', 'surplus'],
  );
});

test('a request to a pool that is not configured is refused', () => {
  const stage = new PoolStage();
  stage.submit('a');
  assert.equal(stage.codeOf('a'), 'E_APP_UNKNOWN');
});
