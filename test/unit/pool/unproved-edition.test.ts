// Graceful restart and requests that nobody gives to another worker: they do not find out whether the new edition comes up.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '../../../src/limits.js';
import { FAILED, KILLED, PoolStage } from '../../support/pool-stage.js';

const HEALTHY_MS = LIMITS.workerHealthyAfterMs;

interface Rollout {
  readonly stage: PoolStage;
  /** Has answered, of the edition before, and idle. */
  readonly old: string;
  /** Spawned, of the edition of now. */
  readonly fresh: string;
}

function rollout(limits: Parameters<PoolStage['configure']>[0] = {}, concurrency = 1): Rollout {
  const stage = new PoolStage();
  stage.configure(limits);
  const old = stage.warm('alice/blog', { concurrency });
  stage.set.drain('alice/blog', undefined, 'reload', { hold: false });
  const fresh = stage.spawn('alice/blog', { concurrency });
  return { stage, old, fresh };
}

function spawnAll(stage: PoolStage): string[] {
  const spawned: string[] = [];
  while (stage.needs.length > 0) spawned.push(stage.spawn());
  return spawned;
}

test('a POST goes to the old worker as long as the new one has not answered, a GET tries that', () => {
  const { stage, old, fresh } = rollout();
  stage.post('post');
  assert.equal(stage.workerOf('post'), old);
  stage.submit('get');
  assert.equal(stage.workerOf('get'), fresh);
  stage.set.ended(old, 'clean');
  stage.set.ready(fresh);
  stage.set.ended(fresh, 'clean');
  assert.deepEqual(stage.retired, [{ worker: old, reason: 'reload' }]);
  stage.post('next');
  assert.equal(stage.workerOf('next'), fresh);
});

test('a POST waits for a busy old worker, and a GET that comes after it does not', () => {
  const { stage, old, fresh } = rollout();
  stage.post('busy');
  stage.post('waits');
  assert.equal(stage.workerOf('waits'), undefined);
  stage.submit('get');
  assert.equal(stage.workerOf('get'), fresh);
  stage.submit('behind');
  stage.set.ended(old, 'clean');
  assert.equal(stage.workerOf('waits'), old);
  assert.equal(stage.workerOf('behind'), undefined);
});

test('a GET that waited behind a POST has the new worker when it comes', () => {
  const stage = new PoolStage();
  stage.configure();
  const old = stage.warm();
  stage.set.drain('alice/blog', undefined, 'reload', { hold: false });
  for (const name of ['busy', 'first', 'second']) stage.post(name);
  stage.submit('get');
  const fresh = stage.spawn();
  assert.equal(stage.workerOf('get'), fresh);
  stage.set.ready(fresh);
  stage.set.ended(fresh, 'clean');
  assert.equal(stage.workerOf('first'), fresh, 'proved, it takes whoever is next');
  stage.set.ended(old, 'clean');
  assert.deepEqual(stage.retired, [{ worker: old, reason: 'reload' }]);
});

test('a broken new edition costs no POST, however often it is tried', () => {
  const { stage, old, fresh } = rollout();
  stage.set.exited(fresh, FAILED);
  for (let round = 0; round < 300; round += 1) {
    stage.post(`post${round}`);
    assert.equal(stage.workerOf(`post${round}`), old);
    const spawned = spawnAll(stage);
    stage.post(`behind${round}`);
    assert.equal(stage.workerOf(`behind${round}`), undefined);
    for (const worker of spawned) stage.set.exited(worker, FAILED);
    stage.clock.advance(100);
    stage.set.ended(old, 'clean');
    assert.equal(stage.workerOf(`behind${round}`), old);
    stage.set.ended(old, 'clean');
  }
  assert.deepEqual([stage.refused, stage.retired], [[], []]);
});

test('a request whose worker died is not tried out on another new one', () => {
  const { stage, old, fresh } = rollout();
  stage.post('busy');
  stage.submit('get');
  assert.equal(stage.workerOf('get'), fresh);
  stage.submitMany(2);
  const [one, two] = spawnAll(stage);
  assert.deepEqual([stage.workerOf('r1'), stage.workerOf('r2')], [one, two]);
  stage.set.ended(two ?? '', 'clean'); // its client left before it had answered: it is free again
  stage.set.exited(fresh, KILLED);
  stage.submit('get', 'alice/blog', { retried: true });
  assert.equal(stage.workerOf('get'), fresh, 'it waits');
  stage.set.ended(old, 'clean');
  assert.equal(stage.workerOf('get'), old);
});

test('where only POSTs come, a new worker that has lived long enough gets one, and then it takes over', () => {
  const { stage, old, fresh } = rollout();
  for (let ms = 0; ms < HEALTHY_MS; ms += 100) {
    stage.post(`at${ms}`);
    assert.equal(stage.workerOf(`at${ms}`), old);
    stage.clock.advance(100);
    stage.set.ended(old, 'clean');
  }
  stage.post('late');
  assert.equal(stage.workerOf('late'), fresh);
  stage.set.ready(fresh);
  assert.deepEqual(stage.retired, [{ worker: old, reason: 'reload' }]);
});

test('a POST behind busy old workers waits until the new one has lived long enough, and no longer', () => {
  const { stage, fresh } = rollout();
  stage.post('for ever');
  stage.post('waits');
  stage.clock.advance(HEALTHY_MS - 1);
  assert.equal(stage.workerOf('waits'), undefined);
  stage.clock.advance(1);
  assert.equal(stage.workerOf('waits'), fresh);
});

test('nor is one that has waited for long when the new one comes', () => {
  const stage = new PoolStage();
  stage.configure({ queueTimeoutMs: 1_000, maxWorkersPerApp: 2 });
  stage.warm();
  for (const name of ['for ever', 'dies']) stage.post(name);
  const old = stage.spawn();
  stage.set.ready(old);
  stage.post('waits');
  stage.clock.advance(700);
  stage.set.drain('alice/blog', undefined, 'reload', { hold: false });
  stage.set.exited(old, KILLED);
  const fresh = stage.spawn();
  stage.clock.advance(49);
  assert.equal(stage.workerOf('waits'), undefined);
  stage.clock.advance(1);
  assert.equal(stage.workerOf('waits'), fresh);
  assert.deepEqual(stage.refused, []);
});

test('it is never kept waiting until its own time is over', () => {
  const { stage, fresh } = rollout({ queueTimeoutMs: 1_000 });
  stage.post('for ever');
  stage.post('waits');
  stage.clock.advance(499);
  assert.equal(stage.workerOf('waits'), undefined);
  stage.clock.advance(1);
  assert.equal(stage.workerOf('waits'), fresh);
  assert.deepEqual(stage.refused, []);
});

test('when the last old worker is gone, whoever waited for it has the new one at once', () => {
  for (const leave of ['exited', 'retired'] as const) {
    const { stage, old, fresh } = rollout();
    stage.post('busy');
    stage.post('waits');
    if (leave === 'exited') stage.set.exited(old, KILLED);
    else stage.set.retire(old, 'memory');
    assert.equal(stage.workerOf('waits'), fresh, leave);
  }
});

test('with several requests at once, the first answer of the new one lets the others in', () => {
  const { stage, fresh } = rollout({}, 2);
  for (const name of ['one', 'two', 'waits']) stage.post(name);
  stage.submit('get');
  assert.equal(stage.workerOf('get'), fresh);
  assert.equal(stage.workerOf('waits'), undefined);
  stage.set.ready(fresh);
  assert.equal(stage.workerOf('waits'), fresh);
});

test('workers of the edition that serves need no proof, and where none serves nobody waits for one', () => {
  const stage = new PoolStage();
  stage.configure();
  stage.post('cold');
  stage.post('cold too');
  const [one, two] = [stage.spawn(), stage.spawn()];
  assert.deepEqual([stage.workerOf('cold'), stage.workerOf('cold too')], [one, two]);
  stage.set.drain('alice/blog', undefined, 'reload', { hold: false });
  const fresh = stage.spawn();
  stage.post('post');
  assert.equal(stage.workerOf('post'), fresh, 'of the older ones nobody has answered');
});

test('a worker asked for before the restart is as good as the one that serves', () => {
  const stage = new PoolStage();
  stage.configure();
  stage.warm();
  for (const name of ['busy', 'post']) stage.post(name);
  stage.set.drain('alice/blog', undefined, 'reload', { hold: false });
  const late = stage.spawn();
  assert.equal(stage.workerOf('post'), late);
});
