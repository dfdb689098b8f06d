// The table of the worker against a model that knows only what may happen in the world.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { stepWorker, type WorkerEvent, type WorkerState } from '../../../src/pool/index.js';

/** What the world knows: requests that a router has given and not taken back, and whether it may give more. */
interface Model {
  inFlight: number;
  mayAssign: boolean;
  isGone: boolean;
}

const kinds = ['ready', 'assigned', 'ended', 'retire', 'deadline', 'exit'] as const;

function eventOf(kind: (typeof kinds)[number]): WorkerEvent {
  if (kind === 'retire') return { kind, reason: 'memory' };
  return kind === 'deadline' ? { kind, reason: 'deadline' } : { kind };
}

/** Late events reach a worker that is gone, but no process exits twice and no request ends that was not given. */
function isPossible(kind: WorkerEvent['kind'], model: Model): boolean {
  if (kind === 'assigned') return model.mayAssign;
  if (kind === 'ended') return model.inFlight > 0;
  return kind !== 'exit' || !model.isGone;
}

const events = fc.array(fc.constantFrom(...kinds), { maxLength: 60 });

test('no possible order of events reaches an impossible cell or a wrong count', () => {
  fc.assert(
    fc.property(events, (chosen) => {
      let state: WorkerState = { kind: 'starting', inFlight: 0 };
      const model: Model = { inFlight: 0, mayAssign: true, isGone: false };
      let retires = 0;
      let exits = 0;
      for (const kind of chosen) {
        if (!isPossible(kind, model)) continue;
        const { state: next, effects } = stepWorker(state, eventOf(kind));
        if (kind === 'assigned') model.inFlight += 1;
        if (kind === 'ended') model.inFlight -= 1;
        if (['retire', 'deadline', 'exit'].includes(kind)) model.mayAssign = false;
        if (kind === 'exit') model.isGone = true;
        retires += effects.filter((one) => one.kind === 'retire').length;
        exits += effects.filter((one) => one.kind === 'gone').length;
        const isIdle = effects.some((one) => one.kind === 'idle');
        assert.equal(isIdle, kind === 'ended' && model.inFlight === 0 && model.mayAssign);
        if ('inFlight' in next) assert.equal(next.inFlight, model.inFlight);
        state = next;
      }
      assert.ok(retires <= 1, 'the supervisor is told once');
      assert.equal(exits, model.isGone ? 1 : 0);
      assert.equal(state.kind === 'exited', model.isGone);
      const isUsable = state.kind === 'starting' || state.kind === 'ready';
      assert.equal(isUsable, model.mayAssign);
    }),
    { numRuns: 2000 },
  );
});
