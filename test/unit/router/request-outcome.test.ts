// How the end of a request becomes numbers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outcomeOf } from '../../../src/router/request-outcome.js';

const LEG = { status: 302, bodyBytes: 7, openedMs: 100 };

test('a whole answer has the status and the bytes of its worker, and the time that it waited for one', () => {
  const { status, bodyBytes, waitMs, durationMs, code } = outcomeOf(
    { kind: 'end', how: 'complete' },
    40,
    LEG,
  );
  assert.deepEqual([status, bodyBytes, waitMs, code], [302, 7, 60, undefined]);
  assert.ok(durationMs > 0);
});

test('an answer of usherd has the status of its code and none of the bytes of the worker', () => {
  const effect = { kind: 'end', how: 'error', code: 'E_QUEUE_FULL' } as const;
  const outcome = outcomeOf(effect, 0, undefined);
  assert.deepEqual([outcome.status, outcome.bodyBytes, outcome.code], [503, 0, 'E_QUEUE_FULL']);
  assert.equal(outcome.waitMs, outcome.durationMs);
  assert.equal(outcomeOf(effect, 0, LEG).bodyBytes, 0);
});

test('who left is 499, and an answer that was cut keeps the status that went out', () => {
  assert.equal(outcomeOf({ kind: 'end', how: 'silent' }, 0, LEG).status, 499);
  const cut = outcomeOf({ kind: 'end', how: 'cut' }, 0, LEG);
  assert.deepEqual([cut.status, cut.code], [302, 'E_WORKER_DIED']);
});
