// Which lost requests are tried again, as a table: nothing that a worker may have acted on is ever done twice.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retryAfter, toldOf } from '../../../src/router/loss.js';
import type { LossKind } from '../../../src/router/protocols/exchange.js';
import { LIMITS } from '../../../src/limits.js';
import { stepRequest, type RequestState, type Retry } from '../../../src/router/request-state.js';

const KINDS: readonly LossKind[] = ['undelivered', 'unread', 'died', 'protocol', 'unreachable'];
const retries = (method: string, hasBegun = false, isRepeatable = true): readonly Retry[] =>
  KINDS.map((kind) => retryAfter(kind, { method, hasBegun, isRepeatable, isExternal: false }));

test('a safe request is tried again as far as it was not answered, any other only if it was not delivered', () => {
  assert.deepEqual(retries('GET'), ['undelivered', 'unread', 'once', 'never', 'never']);
  assert.deepEqual(retries('HEAD'), ['undelivered', 'unread', 'once', 'never', 'never']);
  assert.deepEqual(retries('POST'), ['undelivered', 'never', 'never', 'never', 'never']);
  assert.deepEqual(retries('get'), ['undelivered', 'never', 'never', 'never', 'never']);
});

test('nothing is tried again once an answer has begun, or when a part of the body is gone', () => {
  const never = KINDS.map(() => 'never');
  assert.deepEqual(retries('GET', true), never);
  assert.deepEqual(retries('GET', false, false), never);
});

test('a program that usherd did not start is asked once: there is no other', () => {
  const never = KINDS.map(() => 'never');
  const request = { method: 'GET', hasBegun: false, isRepeatable: true, isExternal: true };
  assert.deepEqual(
    KINDS.map((kind) => retryAfter(kind, request)),
    never,
  );
});

/** How many workers one request meets that always ends in this way. */
function workersMet(retry: Retry): number {
  let state: RequestState = { kind: 'waiting', tries: { repeated: 0, undelivered: 0 } };
  for (let workers = 0; ;) {
    if (state.kind !== 'waiting') return workers;
    state = stepRequest(state, { kind: 'assigned' }).state;
    workers += 1;
    state = stepRequest(state, { kind: 'lost', code: 'E_WORKER_DIED', retry }).state;
  }
}

test('a request that kills its workers meets a bounded number of them', () => {
  assert.equal(workersMet('never'), 1);
  assert.equal(workersMet('once'), 1 + LIMITS.retryMaxCount);
  assert.equal(workersMet('unread'), 1 + LIMITS.unreadRetryMaxCount);
  assert.equal(workersMet('undelivered'), 1 + LIMITS.undeliveredRetryMaxCount);
});

test('a request that killed workers until the application backs off is told of that, and any other of the back-off', () => {
  const lost = { code: 'E_WORKER_DIED', detail: 'ECONNRESET' } as const;
  const backoff = { code: 'E_CRASH_LOOP', retryAfterMs: 1_000 } as const;
  const after = (repeated: number, undelivered: number): RequestState => ({
    kind: 'waiting',
    tries: { repeated, undelivered },
  });
  assert.equal(toldOf(backoff, lost, after(1, 0)), lost);
  assert.equal(toldOf(backoff, lost, after(1, 3)), lost);
  assert.equal(toldOf(backoff, lost, after(0, 3)), backoff, 'no worker had it');
  assert.equal(toldOf(backoff, undefined, after(0, 0)), backoff);
  assert.equal(toldOf(backoff, { code: 'E_QUEUE_FULL' }, after(1, 0)), backoff);
  for (const code of ['E_RUNTIME_MISSING', 'E_SUSPENDED', 'E_QUEUE_DEADLINE'] as const) {
    assert.equal(toldOf({ code }, lost, after(1, 0)).code, code);
  }
});
