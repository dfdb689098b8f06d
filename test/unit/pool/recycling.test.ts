// When a worker has to go although nothing is wrong with the application.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '../../../src/limits.js';
import { PoolStage, STOPPED } from '../../support/pool-stage.js';

test('a worker is retired exactly after idle_timeout, by one timer', () => {
  const stage = new PoolStage();
  stage.configure({ idleTimeoutMs: 300_000 });
  const worker = stage.warm();
  stage.clock.advance(100_000);
  stage.serveOne('a', worker, 0);
  stage.clock.advance(299_999);
  assert.deepEqual(stage.retired, []);
  stage.clock.advance(1);
  assert.deepEqual(stage.retired, [{ worker, reason: 'idle' }]);
});

test('each idle worker has its own time, and a busy one has none', () => {
  const stage = new PoolStage();
  stage.configure({ idleTimeoutMs: 1000 });
  stage.submitMany(3);
  const [one, two, three] = [stage.spawn(), stage.spawn(), stage.spawn()];
  for (const worker of [one, two, three]) stage.set.ready(worker);
  stage.set.ended(two, 'clean');
  stage.clock.advance(400);
  stage.set.ended(one, 'clean');
  stage.clock.advance(600);
  assert.deepEqual(stage.retired, [{ worker: two, reason: 'idle' }]);
  stage.clock.advance(400);
  assert.equal(stage.retired.at(-1)?.worker, one);
  stage.clock.advance(100_000);
  assert.equal(stage.retired.length, 2);
});

test('a worker that was started for a client who left goes as well', () => {
  const stage = new PoolStage();
  stage.configure({ idleTimeoutMs: 1000 });
  const request = stage.submit('a');
  stage.set.withdraw(request);
  const worker = stage.spawn();
  stage.clock.advance(1000);
  assert.deepEqual(stage.retired, [{ worker, reason: 'idle' }]);
});

test('a worker that never had a request goes in its turn', () => {
  const stage = new PoolStage();
  stage.configure({ idleTimeoutMs: 1000 });
  stage.submit('a');
  const leaver = stage.submit('b');
  const used = stage.spawn();
  stage.set.withdraw(leaver);
  const unused = stage.spawn();
  stage.clock.advance(500);
  stage.set.ready(used);
  stage.set.ended(used, 'clean');
  stage.clock.advance(500);
  assert.deepEqual(stage.retired, [{ worker: unused, reason: 'idle' }]);
  stage.clock.advance(499);
  assert.equal(stage.retired.length, 1);
  stage.clock.advance(1);
  assert.equal(stage.retired.at(-1)?.worker, used);
});

test('a changed idle_timeout holds for workers that are idle already', () => {
  const stage = new PoolStage();
  stage.configure({ idleTimeoutMs: 300_000 });
  const worker = stage.warm();
  stage.clock.advance(5000);
  stage.configure({ idleTimeoutMs: 6000 });
  stage.clock.advance(1000);
  assert.deepEqual(stage.retired, [{ worker, reason: 'idle' }]);
});

test('a worker is retired after its last request, never gets another, and has a successor in time', () => {
  const stage = new PoolStage();
  stage.configure({ maxWorkersPerApp: 2 });
  const worker = stage.warm('alice/blog', { maxRequests: 3 });
  stage.serveOne('a', worker);
  stage.submit('last');
  assert.equal(stage.workerOf('last'), worker);
  assert.deepEqual(stage.needs, ['alice/blog'], 'the successor starts while the last request runs');
  const successor = stage.spawn();
  stage.submit('b');
  assert.equal(stage.workerOf('b'), successor);
  assert.deepEqual(stage.retired, []);
  stage.set.ended(worker, 'clean');
  assert.deepEqual(stage.retired, [{ worker, reason: 'max-requests' }]);
});

test('workers that came together go one by one, the last of them after max_requests', () => {
  const servedBy = (maxRequests: number, random: number): number => {
    const stage = new PoolStage({ random: () => random });
    stage.configure({ maxRequests });
    const worker = stage.warm();
    let served = 1;
    for (; stage.retired.length === 0; served += 1) stage.serveOne(`r${served}`, worker);
    return served;
  };
  assert.deepEqual(
    [0, 0.5, 0.999].map((random) => servedBy(100, random)),
    [100, 95, 91],
  );
  assert.equal(servedBy(7, 0.999), 7, 'a tenth of a small number is no request');
});

test('no successor is started while another worker is free', () => {
  const stage = new PoolStage();
  stage.configure();
  stage.submitMany(2);
  const [one, two] = [
    stage.spawn('alice/blog', { maxRequests: 2 }),
    stage.spawn('alice/blog', { maxRequests: 99 }),
  ];
  for (const worker of [two, one]) {
    stage.set.ready(worker);
    stage.set.ended(worker, 'clean');
  }
  stage.submit('last');
  assert.equal(stage.workerOf('last'), one);
  assert.deepEqual(stage.needs, []);
});

test('at the cap the successor is asked for when the old process is gone', () => {
  const stage = new PoolStage();
  stage.configure({ maxWorkersPerApp: 1, maxRequests: 1 });
  stage.submit('a');
  const worker = stage.spawn();
  stage.submit('b');
  stage.set.ready(worker);
  stage.set.ended(worker, 'clean');
  assert.deepEqual(stage.needs, []);
  stage.set.exited(worker, STOPPED);
  assert.deepEqual(stage.needs, ['alice/blog']);
});

test('the limit of the worker counts before that of its application', () => {
  const stage = new PoolStage();
  stage.configure({ maxRequests: 1 });
  const worker = stage.warm('alice/blog', { maxRequests: 2 });
  assert.deepEqual(stage.retired, []);
  stage.serveOne('a', worker);
  assert.deepEqual(stage.retired, [{ worker, reason: 'max-requests' }]);
});

test('thousands of requests through workers of seven each lose none', () => {
  const stage = new PoolStage();
  stage.configure({ maxRequests: 7, queueLength: 10 });
  const perWorker = new Map<string, number>();
  for (let count = 0; count < 10_000; count += 1) {
    stage.submit(`r${count}`);
    while (stage.needs.length > 0) stage.spawn();
    for (const { worker } of stage.assigned.splice(0)) {
      perWorker.set(worker, (perWorker.get(worker) ?? 0) + 1);
      stage.set.ready(worker);
      stage.set.ended(worker, 'clean');
    }
    for (const { worker } of stage.retired.splice(0)) stage.set.exited(worker, STOPPED);
  }
  assert.deepEqual(stage.refused, []);
  assert.equal(
    [...perWorker.values()].reduce((sum, one) => sum + one, 0),
    10_000,
  );
  assert.equal(Math.max(...perWorker.values()), 7);
});

test('a dirty end retires the worker and its requests beside it may end', () => {
  const stage = new PoolStage();
  stage.configure({ maxWorkersPerApp: 1 });
  stage.submitMany(2);
  const worker = stage.spawn('alice/blog', { concurrency: 2 });
  stage.submit('waits');
  stage.set.ended(worker, 'dirty');
  assert.equal(stage.workerOf('waits'), undefined);
  assert.deepEqual(stage.retired, []);
  stage.set.ended(worker, 'clean');
  assert.deepEqual(stage.retired, [{ worker, reason: 'protocol' }]);
  stage.set.exited(worker, STOPPED);
  assert.deepEqual(stage.needs, ['alice/blog']);
});

test('a deadline stops the worker at once, and the end of what it had is no mistake', () => {
  const stage = new PoolStage();
  stage.configure();
  stage.submit('a');
  const worker = stage.spawn();
  stage.set.retire(worker, 'deadline');
  assert.deepEqual(stage.retired, [{ worker, reason: 'deadline' }]);
  stage.set.ended(worker, 'dirty');
  stage.set.ready(worker);
  assert.equal(stage.retired.length, 1);
  stage.set.exited(worker, STOPPED);
  stage.set.ended(worker, 'dirty');
  assert.equal(stage.set.counts().slots, 0);
});

test('a deadline lets the other requests of the worker end, and only then stops it', () => {
  const stage = new PoolStage();
  stage.configure();
  const worker = stage.warm('alice/blog', { concurrency: 3 });
  stage.submitMany(3);
  stage.set.retire(worker, 'deadline');
  stage.set.ended(worker, 'dirty');
  assert.deepEqual(stage.retired, []);
  stage.submit('next');
  assert.equal(stage.workerOf('next'), undefined, 'it has a new worker to wait for');
  assert.deepEqual(stage.needs, ['alice/blog']);
  stage.set.ended(worker, 'clean');
  assert.deepEqual(stage.retired, []);
  stage.set.ended(worker, 'clean');
  assert.deepEqual(stage.retired, [{ worker, reason: 'deadline' }]);
});

test('what does not end beside a deadline is given up after a while, however many deadlines pass', () => {
  const stage = new PoolStage();
  stage.configure();
  const worker = stage.warm('alice/blog', { concurrency: 3 });
  stage.submitMany(3);
  stage.set.retire(worker, 'deadline');
  stage.set.ended(worker, 'dirty');
  stage.clock.advance(LIMITS.workerOthersEndMs - 1);
  stage.set.retire(worker, 'deadline');
  stage.set.ended(worker, 'dirty');
  // Now the last one is alone, and a deadline of its own would stop the worker at once.
  assert.deepEqual(stage.retired, []);
  stage.clock.advance(1);
  assert.deepEqual(stage.retired, [{ worker, reason: 'deadline' }]);
  stage.set.ended(worker, 'died');
  stage.set.exited(worker, STOPPED);
  stage.clock.advance(10 * LIMITS.workerOthersEndMs);
  assert.equal(stage.retired.length, 1);
});

test('a worker that has answered nobody is stopped at the first deadline, with all that waits for it', () => {
  const stage = new PoolStage();
  stage.configure();
  stage.submitMany(2);
  const worker = stage.spawn('alice/blog', { concurrency: 2 });
  stage.set.retire(worker, 'deadline');
  assert.deepEqual(stage.retired, [{ worker, reason: 'deadline' }]);
});

test('a worker that grew too large ends what it has', () => {
  const stage = new PoolStage();
  stage.configure();
  stage.submit('a');
  const worker = stage.spawn();
  stage.set.retire(worker, 'memory');
  assert.deepEqual(stage.retired, []);
  stage.submit('b');
  assert.deepEqual(stage.needs, ['alice/blog']);
  stage.set.ended(worker, 'clean');
  assert.deepEqual(stage.retired, [{ worker, reason: 'memory' }]);
});
