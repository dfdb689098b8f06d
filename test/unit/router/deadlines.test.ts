// Deadlines of requests: one timer for all of them, each rings when its own time has come.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '../../../src/limits.js';
import { DeadlineWatch } from '../../../src/router/deadline-watch.js';
import { Deadlines, type Passed } from '../../../src/router/deadlines.js';
import { VirtualClock } from '../../support/virtual-clock.js';

class Stage {
  readonly clock = new VirtualClock();
  readonly watch = new DeadlineWatch(this.clock);
  readonly rung: string[] = [];

  request(
    name: string,
    then: (deadlines: Deadlines, passed: Passed) => void = () => undefined,
  ): Deadlines {
    const deadlines: Deadlines = new Deadlines(this.watch, {
      onDeadline: (passed) => {
        this.rung.push(`${name} ${passed.code} ${passed.elapsedMs} of ${passed.limitMs}`);
        then(deadlines, passed);
      },
    });
    return deadlines;
  }
}

test('each rings at its time, with what it was', () => {
  const stage = new Stage();
  stage.request('a').arm('E_BODY_TIMEOUT', { limitMs: 300 });
  stage.request('b').arm('E_HEAD_TIMEOUT', { limitMs: 100 });
  stage.clock.advance(99);
  assert.deepEqual(stage.rung, []);
  stage.clock.advance(1);
  assert.deepEqual(stage.rung, ['b E_HEAD_TIMEOUT 100 of 100']);
  stage.clock.advance(200);
  assert.deepEqual(stage.rung.slice(1), ['a E_BODY_TIMEOUT 300 of 300']);
});

test('one that is disarmed, or whose request is over, never rings', () => {
  const stage = new Stage();
  const [a, b] = [stage.request('a'), stage.request('b')];
  a.arm('E_BODY_TIMEOUT', { limitMs: 100 });
  a.arm('E_REQUEST_TIMEOUT', { limitMs: 200 });
  b.arm('E_REQUEST_TIMEOUT', { limitMs: 100 });
  a.disarm('E_BODY_TIMEOUT');
  b.disarmAll();
  assert.equal(stage.watch.watchedCount, 1);
  stage.clock.advance(1_000);
  assert.deepEqual(stage.rung, ['a E_REQUEST_TIMEOUT 200 of 200']);
});

test('one that is restarted counts from then on, one that began earlier from there', () => {
  const stage = new Stage();
  const request = stage.request('a');
  request.arm('E_SILENCE_TIMEOUT', { limitMs: 100 });
  stage.clock.advance(60);
  request.restart('E_SILENCE_TIMEOUT');
  request.arm('E_REQUEST_TIMEOUT', { limitMs: 500, sinceMs: 10 });
  stage.clock.advance(99);
  assert.deepEqual(stage.rung, []);
  stage.clock.advance(1);
  assert.deepEqual(stage.rung, ['a E_SILENCE_TIMEOUT 100 of 100']);
  stage.clock.advance(350);
  assert.deepEqual(stage.rung.slice(1), ['a E_REQUEST_TIMEOUT 500 of 500']);
});

test('one that is armed again in its own ring rings again', () => {
  const stage = new Stage();
  const again = stage.request('a', (deadlines, { code, limitMs }) =>
    deadlines.arm(code, { limitMs }),
  );
  again.arm('E_BODY_TIMEOUT', { limitMs: 100 });
  stage.clock.advance(350);
  assert.equal(stage.rung.length, 3);
});

test('a ring may end the others, and all that have passed ring', () => {
  const stage = new Stage();
  const requests: Deadlines[] = [];
  const endsFirst = (): void => requests[0]?.disarmAll();
  for (const name of ['a', 'b', 'c', 'd']) requests.push(stage.request(name, endsFirst));
  for (const request of requests) request.arm('E_REQUEST_TIMEOUT', { limitMs: 100 });
  stage.clock.advance(100);
  assert.deepEqual(
    stage.rung.map((line) => line.charAt(0)),
    ['d', 'c', 'b'],
  );
  assert.equal(stage.watch.watchedCount, 3);
});

test('two of one request at one time ring one after the other', () => {
  const stage = new Stage();
  const request = stage.request('a');
  request.arm('E_BODY_TIMEOUT', { limitMs: 100 });
  request.arm('E_REQUEST_TIMEOUT', { limitMs: 100 });
  stage.clock.advance(100 + LIMITS.deadlineLookMs);
  assert.equal(stage.rung.length, 2);
});

test('a thousand requests that miss nothing cost one timer, not one each', () => {
  const stage = new Stage();
  for (let i = 0; i < 1_000; i += 1) {
    const request = stage.request('a');
    request.arm('E_HEAD_TIMEOUT', { limitMs: 10_000 });
    request.arm('E_REQUEST_TIMEOUT', { limitMs: 60_000 });
    stage.clock.advance(1);
    request.disarmAll();
  }
  assert.equal(stage.clock.scheduled, 1);
  assert.equal(stage.watch.watchedCount, 0);
  stage.clock.advance(60_000);
  assert.deepEqual([stage.clock.armed, stage.rung.length], [0, 0]);
});
