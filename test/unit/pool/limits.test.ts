// Application < user < total: who gets the slots, who gives theirs up.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KILLED, PoolStage, STOPPED } from '../../support/pool-stage.js';

/** Lets a user's application take as many workers as it can get, all busy. */
function fill(stage: PoolStage, app: string, count: number): string[] {
  stage.submitMany(count, app);
  const workers: string[] = [];
  while (stage.needs.includes(app)) workers.push(stage.spawn(app));
  for (const worker of workers) stage.set.ready(worker);
  return workers;
}

function rest(stage: PoolStage, workers: readonly string[]): void {
  for (const worker of workers) {
    stage.set.ended(worker, 'clean');
    stage.clock.advance(1);
  }
}

test('an application has no more workers than its cap, whatever the runtimes', () => {
  const stage = new PoolStage();
  stage.configure({ maxWorkersPerApp: 3 });
  stage.configure({ maxWorkersPerApp: 3 }, 'alice/blog', 'cgi');
  stage.submitMany(10);
  for (let index = 0; index < 10; index += 1) {
    stage.set.submit('alice/blog', 'cgi', { name: `c${index}` });
  }
  assert.equal(stage.needs.length, 3);
});

test('the other runtime of an application gets a worker once one is free', () => {
  const stage = new PoolStage();
  stage.configure({ maxWorkersPerApp: 2 });
  stage.configure({ maxWorkersPerApp: 2 }, 'alice/blog', 'cgi');
  const [one] = fill(stage, 'alice/blog', 2);
  assert.ok(one);
  stage.set.submit('alice/blog', 'cgi', { name: 'c' });
  assert.deepEqual(stage.retired, []);
  stage.set.ended(one, 'clean');
  assert.deepEqual(stage.retired, [{ worker: one, reason: 'surplus' }]);
  stage.set.exited(one, STOPPED);
  assert.deepEqual(stage.needs, ['alice/blog']);
});

test('a user has no more workers than the cap, over all applications', () => {
  const stage = new PoolStage();
  for (const app of ['alice/a', 'alice/b', 'alice/c']) {
    stage.configure({ maxWorkersPerUser: 8 }, app);
    stage.submitMany(10, app);
  }
  assert.equal(stage.needs.length, 8);
  assert.equal(stage.set.counts().slots, 8);
});

test('the idle worker of another application of the user makes room, never a busy one', () => {
  const stage = new PoolStage();
  for (const app of ['alice/a', 'alice/b']) stage.configure({ maxWorkersPerUser: 4 }, app);
  const workers = fill(stage, 'alice/a', 4);
  stage.submit('b1', 'alice/b');
  assert.deepEqual([stage.needs, stage.retired], [[], []]);
  const [first] = workers;
  assert.ok(first);
  stage.set.ended(first, 'clean');
  assert.deepEqual(stage.retired, [{ worker: first, reason: 'surplus' }]);
  stage.set.exited(first, STOPPED);
  assert.deepEqual(stage.needs, ['alice/b']);
});

test('when the total is short the least recently used idle workers go, one for each that is wanted', () => {
  const stage = new PoolStage({ maxWorkers: 7 });
  const workers = new Map<string, string[]>();
  for (const user of ['u1', 'u2', 'u3']) {
    stage.configure({}, `${user}/x`);
    workers.set(user, fill(stage, `${user}/x`, 2));
  }
  for (const user of ['u2', 'u1', 'u3']) rest(stage, workers.get(user) ?? []);
  // Six of seven: one slot is kept for a user without any.
  stage.configure({}, 'u4/x');
  stage.submitMany(4, 'u4/x');
  assert.deepEqual(stage.needs, ['u4/x']);
  assert.deepEqual(
    stage.retired.map((one) => one.worker),
    [...(workers.get('u2') ?? []), ...(workers.get('u1') ?? []).slice(0, 1)],
  );
  assert.ok(stage.retired.every((one) => one.reason === 'surplus'));
});

test('a user with workers never takes the last slots, a user without any may', () => {
  const stage = new PoolStage({ maxWorkers: 16 });
  for (const user of ['a', 'b'])
    stage.configure({ maxWorkersPerApp: 99, maxWorkersPerUser: 99 }, `${user}/x`);
  fill(stage, 'a/x', 100);
  assert.equal(stage.set.counts().slots, 14);
  stage.submit('b1', 'b/x');
  stage.submit('b2', 'b/x');
  assert.deepEqual(stage.needs, ['b/x']);
  assert.equal(stage.set.counts().slots, 15);
});

test('a saturated user shares with one who has fewer, down to the same number', () => {
  const stage = new PoolStage({ maxWorkers: 9 });
  for (const user of ['a', 'b'])
    stage.configure({ maxWorkersPerApp: 99, maxWorkersPerUser: 99 }, `${user}/x`);
  fill(stage, 'a/x', 100);
  assert.equal(stage.set.counts().slots, 8);
  stage.submitMany(50, 'b/x');
  const held = () => ({
    a: stage.describe('a/x').workers.length,
    b: stage.describe('b/x').workers.length,
  });
  for (let round = 0; round < 200; round += 1) {
    while (stage.needs.length > 0) stage.set.ready(stage.spawn(stage.needs[0]));
    for (const { worker } of stage.retired.splice(0)) stage.set.exited(worker, STOPPED);
    for (const app of ['a/x', 'b/x']) {
      stage.submit(`more${round}`, app);
      const busy = stage.describe(app).workers.find((one) => one.inFlight > 0);
      if (busy !== undefined) stage.set.ended(busy.worker, 'clean');
    }
    assert.ok(stage.set.counts().slots <= 9);
  }
  assert.ok(Math.abs(held().a - held().b) <= 1, JSON.stringify(held()));
});

test('with more users than slots they take turns and nobody waits for ever', () => {
  const stage = new PoolStage({ maxWorkers: 2 });
  const users = ['a', 'b', 'c', 'd'];
  for (const user of users) stage.configure({ queueLength: 1000 }, `${user}/x`);
  const answered = new Map<string, number>();
  for (let tick = 0; tick < 400; tick += 1) {
    for (const user of users) if (tick % 2 === 0) stage.submit(user, `${user}/x`);
    while (stage.needs.length > 0) stage.set.ready(stage.spawn(stage.needs[0]));
    for (const { worker } of stage.retired.splice(0)) stage.set.exited(worker, STOPPED);
    for (const { request, worker } of stage.assigned.splice(0)) {
      answered.set(request, (answered.get(request) ?? 0) + 1);
      stage.set.ended(worker, 'clean');
    }
    stage.clock.advance(100);
  }
  for (const user of users) assert.ok((answered.get(user) ?? 0) >= 20, `${user} was served`);
});

test('a static worker is not retired for others', () => {
  const stage = new PoolStage({ maxWorkers: 2 });
  stage.configure({ minWorkers: 1 }, 'a/x');
  const kept = stage.spawn('a/x');
  stage.configure({}, 'b/x');
  rest(stage, fill(stage, 'b/x', 1));
  stage.configure({}, 'c/x');
  stage.submit('c1', 'c/x');
  assert.equal(stage.retired.length, 1);
  assert.notEqual(stage.retired[0]?.worker, kept);
});

test('a request that only ever lacked a slot is told so at its deadline', () => {
  const stage = new PoolStage({ maxWorkers: 1 });
  for (const user of ['a', 'b']) stage.configure({}, `${user}/x`);
  fill(stage, 'a/x', 1);
  stage.submit('b1', 'b/x');
  stage.clock.advance(30_000);
  assert.equal(stage.codeOf('b1'), 'E_SPAWN_LIMIT');
});

test('a limit that is raised is used at once by those who wait', () => {
  const stage = new PoolStage({ maxWorkers: 2 });
  for (const user of ['a', 'b', 'c']) stage.configure({}, `${user}/x`);
  for (const user of ['a', 'b', 'c']) stage.submit('r', `${user}/x`);
  assert.deepEqual(stage.needs, ['a/x', 'b/x']);
  stage.set.setMaxWorkers(3);
  assert.deepEqual(stage.needs, ['a/x', 'b/x', 'c/x']);
  stage.configure({ maxWorkersPerApp: 1 }, 'a/x');
  stage.submit('more', 'a/x');
  assert.equal(stage.needs.length, 3);
});

test('a limit that is lowered retires idle workers at once and busy ones when they are free', () => {
  const stage = new PoolStage();
  stage.configure();
  const workers = fill(stage, 'alice/blog', 4);
  const [one, two, three] = workers;
  assert.ok(one && two && three);
  rest(stage, [one, two]);
  stage.configure({ maxWorkersPerApp: 1 });
  assert.deepEqual(
    stage.retired.map((each) => each.worker),
    [one, two],
  );
  stage.set.ended(three, 'clean');
  assert.equal(stage.retired.at(-1)?.worker, three);
  stage.configure({ maxWorkersPerApp: 4 });
  assert.equal(stage.retired.length, 3);
});

test('a worker that a pool no longer waits for leaves its slot to the next in line', () => {
  const stage = new PoolStage({ maxWorkers: 1 });
  for (const user of ['a', 'b', 'c']) stage.configure({}, `${user}/x`);
  const [worker] = fill(stage, 'a/x', 1);
  assert.ok(worker);
  const gone = stage.submit('b1', 'b/x');
  stage.submit('c1', 'c/x');
  stage.set.withdraw(gone);
  stage.set.ended(worker, 'clean');
  stage.set.exited(worker, STOPPED);
  assert.deepEqual(stage.needs, ['c/x']);
});

test('a static worker that was used is not retired for others either', () => {
  const stage = new PoolStage({ maxWorkers: 1 });
  stage.configure({ minWorkers: 1 }, 'a/x');
  stage.submit('a1', 'a/x');
  const kept = stage.spawn('a/x');
  stage.configure({}, 'b/x');
  stage.submit('b1', 'b/x');
  stage.set.ready(kept);
  stage.set.ended(kept, 'clean');
  assert.deepEqual(stage.retired, []);
});

test('one waiting request costs others one worker, however many become free', () => {
  const stage = new PoolStage();
  for (const app of ['alice/a', 'alice/b']) stage.configure({ maxWorkersPerUser: 4 }, app);
  const workers = fill(stage, 'alice/a', 4);
  stage.submit('b1', 'alice/b');
  rest(stage, workers);
  assert.equal(stage.retired.length, 1);
});

test('a slot goes to the one for whom its worker was retired', () => {
  const stage = new PoolStage({ maxWorkers: 2 });
  for (const app of ['alice/a', 'alice/b']) stage.configure({ maxWorkersPerUser: 1 }, app);
  for (const app of ['bob/x', 'carl/x']) stage.configure({}, app);
  const [idle] = fill(stage, 'alice/a', 1);
  assert.ok(idle);
  fill(stage, 'bob/x', 1);
  rest(stage, [idle]);
  stage.submit('b1', 'alice/b');
  assert.deepEqual(stage.retired, [{ worker: idle, reason: 'surplus' }]);
  stage.submit('c1', 'carl/x');
  stage.set.exited(idle, STOPPED);
  assert.deepEqual(stage.needs, ['alice/b']);
});

test('the slot of a worker that died goes to those who wait', () => {
  const stage = new PoolStage({ maxWorkers: 1 });
  for (const user of ['a', 'b']) stage.configure({}, `${user}/x`);
  const [worker] = fill(stage, 'a/x', 1);
  assert.ok(worker);
  stage.submit('b1', 'b/x');
  stage.set.exited(worker, KILLED);
  assert.deepEqual(stage.needs, ['b/x']);
});

test('a user who waits only for the own cap does not stand in the way of others', () => {
  const stage = new PoolStage({ maxWorkers: 5 });
  for (const app of ['alice/a', 'alice/b']) stage.configure({ maxWorkersPerUser: 1 }, app);
  for (const app of ['dave/x', 'erin/x']) stage.configure({}, app);
  fill(stage, 'alice/a', 1);
  stage.submit('b1', 'alice/b');
  const [worker] = fill(stage, 'erin/x', 2);
  assert.ok(worker);
  fill(stage, 'dave/x', 1);
  stage.submit('d2', 'dave/x');
  assert.deepEqual(stage.needs, [], 'one slot of five is kept for a user without any');
  stage.set.exited(worker, KILLED);
  assert.deepEqual(stage.needs, ['dave/x']);
});

test('a lowered limit retires as many as are over it and no more, also after many a worker came and went', () => {
  const stage = new PoolStage();
  stage.configure();
  for (let round = 0; round < 10; round += 1) {
    const worker = stage.warm();
    stage.set.retire(worker, 'memory');
    stage.set.exited(worker, STOPPED);
  }
  stage.retired.splice(0);
  rest(stage, fill(stage, 'alice/blog', 4));
  stage.configure({ maxWorkersPerApp: 2 });
  assert.equal(stage.retired.length, 2);
});

test('who got a worker of the own after all costs others none', () => {
  const stage = new PoolStage();
  for (const app of ['alice/a', 'alice/b']) stage.configure({ maxWorkersPerUser: 2 }, app);
  const [one] = fill(stage, 'alice/a', 1);
  const [two] = fill(stage, 'alice/b', 1);
  assert.ok(one && two);
  stage.submit('a2', 'alice/a');
  stage.set.ended(one, 'clean');
  assert.equal(stage.workerOf('a2'), one);
  stage.set.ended(two, 'clean');
  assert.deepEqual(stage.retired, []);
});

test('the nearest limit that is reached is the one that is named', () => {
  const stage = new PoolStage({ maxWorkers: 5 });
  const full = (app: string): unknown => stage.set.crowd(app, 'php')?.full;
  for (const app of ['alice/a', 'alice/b']) {
    stage.configure({ maxWorkersPerApp: 2, maxWorkersPerUser: 3 }, app);
  }
  stage.configure({}, 'bob/a');
  assert.equal(full('alice/a'), undefined);
  const workers = fill(stage, 'alice/a', 4);
  assert.deepEqual(full('alice/a'), { level: 'app', count: 2, max: 2 });
  fill(stage, 'alice/b', 2);
  assert.deepEqual(full('alice/b'), { level: 'user', count: 3, max: 3 });
  fill(stage, 'bob/a', 4);
  const kept = { level: 'total', count: 4, max: 5 }; // one for users without a worker
  assert.deepEqual(full('bob/a'), kept);
  stage.clock.advance(1_000);
  const { ids, workers: count, waiting, oldestWaitMs } = stage.set.crowd('alice/a', 'php') ?? {};
  assert.deepEqual([ids, count, waiting, oldestWaitMs], [workers, 2, 2, 1_000]);
});
