// Graceful restart: new workers take over when they have come up, and not before.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '../../../src/limits.js';
import { FAILED, PoolStage, STOPPED } from '../../support/pool-stage.js';

const restart = (stage: PoolStage): void => {
  stage.set.drain('alice/blog', undefined, 'reload', { hold: false });
};

/** Workers that have answered and are busy again, with requests named after them. */
function busyWorkers(stage: PoolStage, count: number): string[] {
  stage.submitMany(count);
  const workers = Array.from({ length: count }, () => stage.spawn());
  for (const worker of workers) stage.set.ready(worker);
  return workers;
}

test('the old worker serves until the new one has answered, and then goes', () => {
  const stage = new PoolStage();
  stage.configure();
  const old = stage.warm();
  restart(stage);
  assert.deepEqual(stage.needs, ['alice/blog']);
  stage.submit('a');
  assert.equal(stage.workerOf('a'), old);
  stage.set.ended(old, 'clean');
  const fresh = stage.spawn();
  stage.submit('b');
  assert.equal(stage.workerOf('b'), fresh, 'one request tries the new worker');
  stage.submit('c');
  assert.equal(stage.workerOf('c'), old, 'the others do not wait for it');
  assert.deepEqual(stage.needs, [], 'one new worker is enough to find out');
  assert.deepEqual(stage.retired, []);
  stage.set.ready(fresh);
  stage.set.ended(old, 'clean');
  assert.deepEqual(stage.retired, [{ worker: old, reason: 'reload' }]);
  stage.set.ended(fresh, 'clean');
  stage.submit('d');
  assert.equal(stage.workerOf('d'), fresh);
});

test('busy old workers end their requests first', () => {
  const stage = new PoolStage();
  stage.configure();
  const [one, two] = busyWorkers(stage, 2);
  assert.ok(one && two);
  restart(stage);
  const fresh = stage.spawn();
  stage.submit('new');
  assert.equal(stage.workerOf('new'), fresh);
  stage.set.ready(fresh);
  assert.equal(stage.retired.length, 0);
  stage.set.ended(two, 'clean');
  stage.set.ended(one, 'clean');
  assert.deepEqual(
    stage.retired.map((each) => each.worker),
    [two, one],
  );
});

test('an application that nobody uses is not started for a restart, only when it is needed', () => {
  const stage = new PoolStage();
  stage.configure();
  const old = stage.warm();
  stage.clock.advance(60_000);
  restart(stage);
  assert.deepEqual(stage.needs, []);
  stage.submit('a');
  assert.deepEqual(stage.needs, ['alice/blog']);
  assert.equal(stage.workerOf('a'), old);
});

test('if the new ones do not come up the old ones go on', () => {
  const stage = new PoolStage();
  stage.configure();
  const old = stage.warm();
  restart(stage);
  for (let round = 0; round < 300; round += 1) {
    while (stage.needs.length > 0) stage.set.exited(stage.spawn(), FAILED);
    stage.serveOne(`r${round}`, old, 100);
  }
  assert.deepEqual([stage.refused, stage.retired], [[], []]);
  assert.equal(stage.set.counts().workers, 1);
});

test('a refused start of the new edition leaves the old one in place', () => {
  const stage = new PoolStage();
  stage.configure();
  const old = stage.warm();
  restart(stage);
  stage.refuseNeed('E_ACCESS_REFUSED', 0);
  stage.submit('a');
  assert.equal(stage.workerOf('a'), old);
  assert.deepEqual(stage.refused, []);
});

test('when another runtime has taken over nothing is kept, and nothing more is asked for', () => {
  const stage = new PoolStage();
  stage.configure({ minWorkers: 1 });
  const old = stage.warm();
  restart(stage);
  stage.submit('in flight');
  assert.deepEqual(stage.set.answeredElsewhere('alice/blog', 'php'), []);
  stage.needs.pop();
  stage.set.ended(old, 'clean');
  assert.deepEqual(stage.retired, [{ worker: old, reason: 'reload' }]);
  stage.set.exited(old, STOPPED);
  stage.clock.advance(600_000);
  assert.deepEqual(stage.needs, []);
  assert.equal(stage.set.counts().slots, 0);
});

test('what was removed is not served any more', () => {
  const stage = new PoolStage();
  stage.configure();
  const old = stage.warm();
  restart(stage);
  stage.submit('in flight');
  stage.refuseNeed('E_APP_UNKNOWN', 0);
  stage.clock.advance(LIMITS.appGoneAfterMs);
  stage.submit('late');
  assert.deepEqual(stage.needs, ['alice/blog']);
  stage.refuseNeed('E_APP_UNKNOWN', 0);
  assert.equal(stage.workerOf('in flight'), old);
  assert.equal(stage.codeOf('late'), 'E_APP_UNKNOWN');
  assert.deepEqual(stage.retired, []);
  stage.set.ended(old, 'clean');
  assert.deepEqual(stage.retired, [{ worker: old, reason: 'reload' }]);
});

test('what is put in place anew is served meanwhile by the old worker, however often it is', () => {
  const stage = new PoolStage();
  stage.configure();
  const old = stage.warm();
  for (let time = 0; time < 2; time += 1) {
    restart(stage);
    stage.refuseNeed('E_APP_UNKNOWN', 0);
    stage.serveOne('at once', old);
    stage.clock.advance(LIMITS.appGoneAfterMs - 1_000);
    stage.serveOne('a moment later', old);
    stage.refuseNeed('E_APP_UNKNOWN', 0);
    stage.clock.advance(LIMITS.appGoneAfterMs);
    stage.serveOne('in the end', old);
    stage.set.exited(stage.spawn(), STOPPED);
  }
  assert.deepEqual(stage.retired, []);
});

test('at the cap one old worker makes room, busy ones when they are free', () => {
  const stage = new PoolStage();
  stage.configure({ maxWorkersPerApp: 2 });
  const [one, two] = busyWorkers(stage, 2);
  assert.ok(one && two);
  restart(stage);
  stage.submit('waits');
  assert.deepEqual([stage.needs, stage.retired], [[], []]);
  stage.set.ended(one, 'clean');
  assert.deepEqual(stage.retired, [{ worker: one, reason: 'reload' }]);
  stage.set.ended(two, 'clean');
  assert.equal(stage.workerOf('waits'), two, 'the last old one goes on');
  stage.set.exited(one, STOPPED);
  assert.deepEqual(stage.needs, ['alice/blog']);
});

test('at the cap with idle workers only one of them goes', () => {
  const stage = new PoolStage();
  stage.configure({ maxWorkersPerApp: 2 });
  const workers = busyWorkers(stage, 2);
  for (const worker of workers) stage.set.ended(worker, 'clean');
  restart(stage);
  assert.equal(stage.retired.length, 1);
  stage.submit('a');
  stage.submit('b');
  assert.equal(stage.retired.length, 1);
  assert.ok(workers.includes(stage.workerOf('a') ?? ''));
});

test('at the cap a process that is ending anyway makes the room', () => {
  const stage = new PoolStage();
  stage.configure({ maxWorkersPerApp: 2 });
  const [one, two] = busyWorkers(stage, 2);
  assert.ok(one && two);
  for (const worker of [one, two]) stage.set.ended(worker, 'clean');
  stage.set.retire(one, 'memory');
  restart(stage);
  assert.deepEqual(stage.retired, [{ worker: one, reason: 'memory' }]);
  stage.set.exited(one, STOPPED);
  assert.deepEqual(stage.needs, ['alice/blog']);
});

test('a worker asked for before the restart is of the old edition', () => {
  const stage = new PoolStage();
  stage.configure({ maxWorkersPerApp: 3 });
  stage.submit('a');
  restart(stage);
  const old = stage.spawn();
  stage.set.ready(old);
  assert.deepEqual(stage.needs, ['alice/blog']);
  const fresh = stage.spawn();
  stage.submit('b');
  stage.set.ready(fresh);
  stage.set.ended(old, 'clean');
  assert.deepEqual(stage.retired, [{ worker: old, reason: 'reload' }]);
});

test('restarts that come faster than a start still make progress', () => {
  const stage = new PoolStage();
  stage.configure({ maxWorkersPerApp: 4 });
  const first = stage.warm();
  restart(stage);
  const second = stage.spawn();
  restart(stage);
  stage.submit('a');
  stage.submit('b');
  const tried = [stage.workerOf('a'), stage.workerOf('b')];
  assert.ok(tried.includes(second));
  stage.set.ready(second);
  stage.set.ended(first, 'clean');
  stage.set.ended(second, 'clean');
  assert.deepEqual(stage.retired, [{ worker: first, reason: 'reload' }]);
});

test('a restart every second under load loses no request', () => {
  const stage = new PoolStage();
  stage.configure();
  const starting = new Map<string, number>();
  let served = 0;
  for (let ms = 0; ms < 20_000; ms += 5) {
    if (ms % 1000 === 0) restart(stage);
    stage.submit(`r${ms}`);
    while (stage.needs.length > 0) starting.set(stage.spawn(), ms + 50);
    for (const { worker } of stage.retired.splice(0)) stage.set.exited(worker, STOPPED);
    for (const one of stage.assigned.splice(0)) {
      if ((starting.get(one.worker) ?? 0) > ms) {
        stage.assigned.push(one);
        continue;
      }
      stage.set.ready(one.worker);
      stage.set.ended(one.worker, 'clean');
      served += 1;
    }
    stage.clock.advance(5);
  }
  assert.deepEqual(stage.refused, []);
  assert.ok(served >= 4000 - 10, `${served} served`);
  assert.ok(starting.size >= 20, 'each restart brought a new worker');
});

test('all of a user is restarted, and nobody else', () => {
  const stage = new PoolStage();
  const apps = ['alice/a', 'alice/b', 'bob/a'];
  for (const app of apps) {
    stage.configure({}, app);
    stage.warm(app);
  }
  stage.set.drain(undefined, 'alice', 'reload', { hold: false });
  assert.deepEqual(stage.needs, ['alice/a', 'alice/b']);
});
