// Crashes, refused starts and what requests are told meanwhile.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FAILED, KILLED, PoolStage, STOPPED } from '../../support/pool-stage.js';

/** Every worker that is asked for dies at once; its request is given up. */
function dieAll(stage: PoolStage): number {
  let starts = 0;
  while (stage.needs.length > 0) {
    starts += 1;
    stage.set.exited(stage.spawn(), FAILED);
  }
  return starts;
}

test('an application that dies at its start: at most ten starts in a minute of 1000 requests a second', () => {
  for (const random of [0, 0.5, 0.999_999]) {
    const stage = new PoolStage({ random: () => random });
    stage.configure();
    let starts = 0;
    for (let ms = 0; ms < 60_000; ms += 1) {
      stage.submit(`r${ms}`);
      if (ms % 20 === 19) starts += dieAll(stage); // a start takes 20 ms
      stage.clock.advance(1);
    }
    assert.ok(starts <= 10, `${starts} starts`);
    const unanswered = stage.set.counts().waiting;
    assert.ok(unanswered < 50, `${unanswered} wait`);
  }
});

test('a death that its connection tells before the supervisor does is one, too', () => {
  const stage = new PoolStage();
  stage.configure({ maxWorkersPerApp: 1 });
  stage.submit('first');
  const worker = stage.spawn();
  stage.set.ended(worker, 'died');
  assert.deepEqual(stage.retired, [{ worker, reason: 'protocol' }]);
  stage.set.exited(worker, STOPPED); // asked to stop what had stopped by itself
  stage.submit('next');
  assert.equal(stage.codeOf('next'), 'E_CRASH_LOOP');
  assert.deepEqual(stage.needs, []);
});

test('a worker that is stopped because its client left, or because of nonsense, has not crashed', () => {
  const stage = new PoolStage();
  stage.configure({ maxWorkersPerApp: 1 });
  stage.submit('first');
  const worker = stage.spawn();
  stage.set.ended(worker, 'dirty');
  stage.set.exited(worker, STOPPED);
  stage.submit('next');
  assert.equal(stage.codeOf('next'), undefined);
  assert.deepEqual(stage.needs, ['alice/blog']);
});

test('a worker whose command is not there is told apart from one that dies of something else', () => {
  const dieOf = (code: number): string | undefined => {
    const stage = new PoolStage();
    stage.configure({ maxWorkersPerApp: 1 });
    stage.submit('dies');
    stage.set.exited(stage.spawn(), { ...FAILED, code });
    stage.submit('next');
    return stage.codeOf('next');
  };
  const found = [127, 1, 126, 128].map(dieOf);
  assert.deepEqual(found, [
    ...['E_RUNTIME_MISSING', 'E_CRASH_LOOP', 'E_RUNTIME_MISSING', 'E_CRASH_LOOP'],
  ]);
});

test('a command that is not there is known also where the connection tells of the death first', () => {
  const stage = new PoolStage();
  stage.configure({ maxWorkersPerApp: 1 });
  stage.submit('first');
  const worker = stage.spawn();
  stage.set.ended(worker, 'died');
  stage.set.exited(worker, { ...FAILED, wanted: true, code: 127 });
  stage.submit('next');
  assert.equal(stage.codeOf('next'), 'E_RUNTIME_MISSING');
});

test('while it backs off requests are refused at once with the time that is left', () => {
  const stage = new PoolStage();
  stage.configure({ maxWorkersPerApp: 1 });
  stage.submit('first');
  stage.submit('waits');
  dieAll(stage);
  assert.deepEqual(stage.refused, [{ request: 'waits', code: 'E_CRASH_LOOP', retryAfterMs: 1000 }]);
  stage.clock.advance(400);
  stage.submit('next');
  assert.deepEqual(stage.refused.at(-1), {
    request: 'next',
    code: 'E_CRASH_LOOP',
    retryAfterMs: 600,
  });
  stage.clock.advance(600);
  stage.submit('again');
  assert.deepEqual(stage.needs, ['alice/blog']);
  assert.equal(stage.codeOf('again'), undefined);
});

test('requests wait as long as another worker of the same start may still come up', () => {
  const stage = new PoolStage();
  stage.configure({ maxWorkersPerApp: 2 });
  stage.submitMany(3);
  const [one, two] = [stage.spawn(), stage.spawn()];
  stage.set.exited(one, FAILED);
  assert.deepEqual(stage.refused, []);
  stage.set.ready(two);
  stage.set.ended(two, 'clean');
  assert.equal(stage.workerOf('r3'), two);
});

test('after a crash one worker at a time finds out, and its first answer opens the way', () => {
  const stage = new PoolStage();
  stage.configure();
  stage.submitMany(4);
  assert.equal(dieAll(stage), 4);
  stage.clock.advance(1000);
  stage.submitMany(4);
  assert.equal(stage.needs.length, 1);
  const worker = stage.spawn();
  stage.submitMany(4);
  assert.equal(stage.needs.length, 0);
  stage.set.ready(worker);
  assert.equal(stage.needs.length, 3);
});

test('living workers go on serving while no other may start', () => {
  const stage = new PoolStage();
  stage.configure({ maxWorkersPerApp: 2 });
  const worker = stage.warm();
  stage.submit('a');
  for (let death = 0; death < 4; death += 1) {
    stage.submit(`b${death}`);
    stage.clock.advance(1);
    if (stage.needs.length > 0) stage.set.exited(stage.spawn(), FAILED);
  }
  stage.submit('c');
  assert.deepEqual(stage.refused, []);
  assert.deepEqual(stage.needs, []);
  stage.set.ended(worker, 'clean');
  assert.equal(stage.assigned.at(-1)?.worker, worker);
  assert.equal(stage.describe().state, 'running');
});

test('waiting requests get a worker when the back-off is over, without another request', () => {
  const stage = new PoolStage();
  stage.configure({ maxWorkersPerApp: 2 });
  stage.warm();
  stage.submit('busy');
  for (const name of ['x', 'y']) {
    stage.submit(name);
    stage.clock.advance(1);
    if (stage.needs.length > 0) stage.set.exited(stage.spawn(), FAILED);
  }
  stage.submit('z');
  assert.deepEqual(stage.needs, []);
  stage.clock.advance(1000);
  assert.deepEqual(stage.needs, ['alice/blog']);
});

test('a worker killed ten times a second between requests never stops the service', () => {
  const stage = new PoolStage();
  stage.configure({ maxWorkersPerApp: 4, maxRequests: 7 });
  let served = 0;
  for (let ms = 0; ms < 20_000; ms += 1) {
    stage.submit(`r${ms}`);
    while (stage.needs.length > 0) stage.spawn();
    for (const { worker } of stage.retired.splice(0)) {
      stage.set.exited(worker, { phase: 'run', wanted: true, code: 0, signal: undefined });
    }
    stage.clock.advance(1);
    for (const { worker } of stage.assigned.splice(0)) {
      stage.set.ready(worker);
      stage.set.ended(worker, 'clean');
      served += 1;
    }
    const idle = stage.describe().workers.find((one) => one.inFlight === 0);
    if (ms % 100 === 0 && idle !== undefined) stage.set.exited(idle.worker, KILLED);
  }
  assert.deepEqual(stage.refused, []);
  assert.equal(served + stage.set.counts().waiting, 20_000);
});

test('a worker that lived ten seconds was healthy although it never answered', () => {
  const stage = new PoolStage();
  stage.configure({ maxWorkersPerApp: 1 });
  stage.submit('a');
  const worker = stage.spawn();
  stage.clock.advance(10_000);
  stage.set.exited(worker, KILLED);
  stage.submit('a', 'alice/blog', { retried: true });
  assert.deepEqual(stage.needs, ['alice/blog']);
});

test('an exit that was wanted is no crash', () => {
  const stage = new PoolStage();
  stage.configure({ maxWorkersPerApp: 1 });
  stage.submit('a');
  const worker = stage.spawn();
  stage.set.retire(worker, 'memory');
  stage.set.exited(worker, { phase: 'run', wanted: true, code: 0, signal: undefined });
  stage.submit('b');
  assert.deepEqual(stage.needs, ['alice/blog']);
});

test('a worker that leaves by itself after serving is replaced without delay', () => {
  const stage = new PoolStage();
  stage.configure({ maxWorkersPerApp: 1 });
  for (let life = 0; life < 20; life += 1) {
    const worker = stage.warm();
    stage.set.exited(worker, { phase: 'run', wanted: false, code: 0, signal: undefined });
  }
  assert.deepEqual(stage.refused, []);
});

test('reset and a changed application start at once', () => {
  for (const act of [
    (stage: PoolStage) => stage.set.reset('alice/blog'),
    (stage: PoolStage) => stage.set.drain('alice/blog', undefined, 'reload', { hold: false }),
  ]) {
    const stage = new PoolStage();
    stage.configure();
    stage.submit('a');
    dieAll(stage);
    stage.submit('b');
    assert.equal(stage.codeOf('b'), 'E_CRASH_LOOP');
    assert.equal(stage.describe().state, 'backoff');
    act(stage);
    stage.submit('c');
    assert.deepEqual(stage.needs, ['alice/blog']);
  }
});

test('one application that crashes changes nothing for its neighbour', () => {
  const stage = new PoolStage();
  stage.configure();
  stage.configure({}, 'alice/shop');
  stage.submit('a');
  dieAll(stage);
  stage.submit('b', 'alice/shop');
  assert.deepEqual(stage.needs, ['alice/shop']);
});

test('a refusal about the application is the answer to all who wait, and to others for a second', () => {
  const stage = new PoolStage();
  stage.configure();
  stage.submitMany(3);
  assert.equal(stage.needs.length, 3);
  stage.refuseNeed('E_ACCESS_REFUSED', 0);
  stage.refuseNeed('E_ACCESS_REFUSED', 0);
  assert.equal(stage.refused.length, 0);
  stage.refuseNeed('E_ACCESS_REFUSED', 0);
  assert.equal(stage.refused.length, 3);
  assert.ok(stage.refused.every((one) => one.code === 'E_ACCESS_REFUSED'));
  stage.clock.advance(999);
  stage.submit('soon');
  assert.equal(stage.codeOf('soon'), 'E_ACCESS_REFUSED');
  stage.clock.advance(1);
  stage.submit('later');
  assert.deepEqual(stage.needs, ['alice/blog']);
});

test('a start that failed, or could not be proved safe, counts as a crash', () => {
  for (const code of ['E_START_FAILED', 'E_PRIVDROP_VERIFY', 'E_START_TIMEOUT'] as const) {
    const stage = new PoolStage();
    stage.configure();
    stage.submit('a');
    stage.refuseNeed(code, 2000);
    assert.deepEqual(stage.refused, [{ request: 'a', code, retryAfterMs: 2000 }]);
    stage.submit('b');
    assert.equal(stage.codeOf('b'), 'E_CRASH_LOOP');
  }
});

test('the back-off of the supervisor holds for as long as it says', () => {
  const stage = new PoolStage();
  stage.configure();
  stage.submit('a');
  stage.refuseNeed('E_CRASH_LOOP', 20_000);
  stage.clock.advance(19_999);
  stage.submit('b');
  assert.deepEqual(stage.refused.at(-1), {
    request: 'b',
    code: 'E_CRASH_LOOP',
    retryAfterMs: 20_000,
  });
  stage.clock.advance(1);
  stage.submit('c');
  assert.deepEqual(stage.needs, ['alice/blog']);
});

test('reset forgets a refusal as well', () => {
  const stage = new PoolStage();
  stage.configure();
  stage.submit('a');
  stage.refuseNeed('E_ACCESS_REFUSED', 0);
  stage.set.reset('alice/blog');
  stage.submit('b');
  assert.deepEqual(stage.needs, ['alice/blog']);
});

test('a launch that never reached the program was not healthy, however long it took', () => {
  const stage = new PoolStage();
  stage.configure();
  stage.submit('a');
  const worker = stage.spawn();
  stage.clock.advance(10_000);
  stage.set.exited(worker, { phase: 'launch', wanted: false, code: 1, signal: undefined });
  stage.submit('b');
  assert.equal(stage.codeOf('b'), 'E_CRASH_LOOP');
});

test('a refusal for a limit keeps requests waiting, and is tried again', () => {
  const stage = new PoolStage();
  stage.configure({ queueTimeoutMs: 5000 });
  stage.submit('a');
  stage.refuseNeed('E_SPAWN_LIMIT', 1000);
  assert.deepEqual([stage.refused, stage.needs], [[], []]);
  stage.submit('b');
  assert.deepEqual([stage.refused, stage.needs], [[], []]);
  stage.clock.advance(1000);
  assert.equal(stage.needs.length, 2);
  stage.refuseNeed('E_SPAWN_LIMIT', 60_000);
  stage.refuseNeed('E_SPAWN_LIMIT', 60_000);
  stage.clock.advance(4000);
  assert.deepEqual(
    stage.refused.map((one) => one.code),
    ['E_SPAWN_LIMIT', 'E_SPAWN_LIMIT'],
  );
});

test('one runtime of an application that crashes does not block the other that serves', () => {
  const stage = new PoolStage();
  stage.configure();
  stage.configure({}, 'alice/blog', 'python');
  stage.submit('php');
  dieAll(stage);
  assert.equal(stage.set.blocked('alice/blog')?.code, 'E_CRASH_LOOP', 'there is no worker at all');
  stage.set.adopted('alice/blog', 'python', stage.nextWorker());
  assert.equal(stage.set.blocked('alice/blog'), undefined);
  stage.submit('php again');
  assert.equal(stage.codeOf('php again'), 'E_CRASH_LOOP', 'its own pool still says so');
});

test('a suspended application is blocked although a worker of it still ends its request', () => {
  const stage = new PoolStage();
  stage.configure();
  stage.warm();
  stage.submit('busy');
  stage.set.drain('alice/blog', undefined, 'shutdown', { hold: true });
  assert.equal(stage.set.blocked('alice/blog')?.code, 'E_SUSPENDED');
  assert.equal(stage.set.blocked('bob/none'), undefined);
});
