import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  WORKER_TABLE,
  stepWorker,
  type WorkerEvent,
  type WorkerState,
} from '../../../src/pool/index.js';

const step = (state: WorkerState, event: WorkerEvent) => stepWorker(state, event);

test('a starting worker counts requests before it has answered', () => {
  const one = step({ kind: 'starting', inFlight: 0 }, { kind: 'assigned' });
  assert.deepEqual(one, { state: { kind: 'starting', inFlight: 1 }, effects: [] });
  const ready = step(one.state, { kind: 'ready' });
  assert.deepEqual(ready.state, { kind: 'ready', inFlight: 1 });
});

test('the last request that ends makes a worker idle, an earlier one does not', () => {
  const event: WorkerEvent = { kind: 'ended' };
  for (const kind of ['starting', 'ready'] as const) {
    assert.deepEqual(step({ kind, inFlight: 2 }, event).effects, []);
    assert.deepEqual(step({ kind, inFlight: 1 }, event).effects, [{ kind: 'idle' }]);
  }
});

test('retiring an idle worker stops it, retiring a busy one lets its requests end', () => {
  const event: WorkerEvent = { kind: 'retire', reason: 'memory' };
  for (const kind of ['starting', 'ready'] as const) {
    assert.deepEqual(step({ kind, inFlight: 0 }, event), {
      state: { kind: 'stopping', reason: 'memory' },
      effects: [{ kind: 'retire', reason: 'memory' }],
    });
    const draining = step({ kind, inFlight: 2 }, event);
    assert.deepEqual(draining.effects, []);
    const one = step(draining.state, { kind: 'ended' });
    assert.deepEqual(one, {
      state: { kind: 'draining', inFlight: 1, reason: 'memory' },
      effects: [],
    });
    assert.deepEqual(step(one.state, { kind: 'ended' }), {
      state: { kind: 'stopping', reason: 'memory' },
      effects: [{ kind: 'retire', reason: 'memory' }],
    });
  }
});

test('the first reason to retire stands', () => {
  const state: WorkerState = { kind: 'draining', inFlight: 1, reason: 'reload' };
  assert.equal(step(state, { kind: 'retire', reason: 'idle' }).state, state);
});

test('a deadline stops a worker whatever it has, once', () => {
  const event: WorkerEvent = { kind: 'deadline', reason: 'deadline' };
  const states: readonly WorkerState[] = [
    { kind: 'starting', inFlight: 1 },
    { kind: 'ready', inFlight: 3 },
    { kind: 'draining', inFlight: 1, reason: 'reload' },
  ];
  for (const state of states) {
    const stopped = step(state, event);
    assert.deepEqual(stopped.effects, [{ kind: 'retire', reason: 'deadline' }]);
    assert.deepEqual(step(stopped.state, event), { state: stopped.state, effects: [] });
    assert.equal(step(stopped.state, { kind: 'ended' }).state, stopped.state);
  }
});

test('every living state ends with the exit of the process', () => {
  const states: readonly WorkerState[] = [
    { kind: 'starting', inFlight: 1 },
    { kind: 'ready', inFlight: 0 },
    { kind: 'draining', inFlight: 1, reason: 'reload' },
    { kind: 'stopping', reason: 'idle' },
  ];
  for (const state of states) {
    assert.deepEqual(step(state, { kind: 'exit' }), {
      state: { kind: 'exited' },
      effects: [{ kind: 'gone' }],
    });
  }
});

test('what is late after the exit changes nothing', () => {
  const late: readonly WorkerEvent[] = [
    { kind: 'ready' },
    { kind: 'ended' },
    { kind: 'retire', reason: 'idle' },
    { kind: 'deadline', reason: 'deadline' },
  ];
  for (const event of late) {
    assert.deepEqual(step({ kind: 'exited' }, event), { state: { kind: 'exited' }, effects: [] });
  }
});

test('bugs of ours throw instead of miscounting', () => {
  const bug = { name: 'AssertionError' };
  assert.throws(() => step({ kind: 'ready', inFlight: 0 }, { kind: 'ended' }), bug);
  assert.throws(() => step({ kind: 'exited' }, { kind: 'exit' }), bug);
  for (const state of [
    { kind: 'draining', inFlight: 1, reason: 'idle' },
    { kind: 'stopping', reason: 'idle' },
    { kind: 'exited' },
  ] as const) {
    assert.throws(() => step(state, { kind: 'assigned' }), bug);
  }
});

test('the table has no hole', () => {
  const events = ['ready', 'assigned', 'ended', 'retire', 'deadline', 'exit'];
  for (const row of Object.values(WORKER_TABLE)) {
    assert.deepEqual(Object.keys(row).sort(), [...events].sort());
  }
});
