// A request whose worker died has its second try, whoever tells of the death first: its own connection, or the supervisor.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FAILED, PoolStage, STOPPED } from '../../support/pool-stage.js';

/** The worker dies under its request, which comes back. */
type Death = (stage: PoolStage, worker: string, request: string) => void;

const again = (stage: PoolStage, request: string): void =>
  void stage.submit(request, 'alice/blog', { retried: true });

const ORDERS: Readonly<Record<string, Death>> = {
  'the supervisor first': (stage, worker, request) => {
    stage.set.exited(worker, FAILED);
    stage.set.ended(worker, 'died');
    again(stage, request);
  },
  'the connection first': (stage, worker, request) => {
    stage.set.ended(worker, 'died');
    again(stage, request);
    stage.set.exited(worker, STOPPED);
  },
  'the connection first, and the request back last': (stage, worker, request) => {
    stage.set.ended(worker, 'died');
    stage.set.exited(worker, STOPPED);
    again(stage, request);
  },
};

for (const [order, die] of Object.entries(ORDERS)) {
  describe(`a worker that dies at its very first request, ${order}`, () => {
    const begin = (maxWorkersPerApp: number): PoolStage => {
      const stage = new PoolStage();
      stage.configure({ maxWorkersPerApp });
      stage.submit('first');
      die(stage, stage.spawn(), 'first');
      return stage;
    };

    for (const maxWorkersPerApp of [1, 4]) {
      test(`its request is given to another one, where ${maxWorkersPerApp} may run`, () => {
        const stage = begin(maxWorkersPerApp);
        assert.deepEqual(stage.needs, ['alice/blog']);
        const second = stage.spawn();
        assert.equal(stage.workerOf('first'), second);
        stage.set.ready(second);
        stage.set.ended(second, 'clean');
        stage.serveOne('next', second);
        assert.deepEqual(stage.refused, []);
      });

      test(`it is one failure if the other one dies as well, where ${maxWorkersPerApp} may run`, () => {
        const stage = begin(maxWorkersPerApp);
        die(stage, stage.spawn(), 'twice');
        assert.equal(stage.codeOf('twice'), 'E_CRASH_LOOP');
        assert.deepEqual(stage.needs, []);
        stage.submit('next');
        assert.deepEqual(stage.refused.at(-1), {
          request: 'next',
          code: 'E_CRASH_LOOP',
          retryAfterMs: 1000,
        });
        stage.clock.advance(1000);
        stage.submit('later');
        assert.deepEqual(stage.needs, ['alice/blog']);
      });
    }

    test('there is none where several were started at once and have died: it is a loop already', () => {
      const stage = new PoolStage();
      stage.configure({ maxWorkersPerApp: 2 });
      stage.submit('first');
      stage.submit('second');
      const workers = [stage.spawn(), stage.spawn()];
      die(stage, workers[0] ?? '', 'first');
      assert.equal(stage.codeOf('first'), undefined, 'the other one may come up');
      die(stage, workers[1] ?? '', 'second');
      assert.deepEqual(
        [stage.codeOf('first'), stage.codeOf('second')],
        ['E_CRASH_LOOP', 'E_CRASH_LOOP'],
      );
      assert.deepEqual(stage.needs, []);
    });

    test('after the next crash there is no second try: it is a loop', () => {
      const stage = begin(1);
      die(stage, stage.spawn(), 'first');
      stage.clock.advance(1000);
      stage.submit('probe');
      die(stage, stage.spawn(), 'probe');
      assert.equal(stage.codeOf('probe'), 'E_CRASH_LOOP');
      assert.deepEqual(stage.needs, []);
    });
  });
}
