// The picture of a request's life in docs/ is the table in the code: compared edge by edge.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import {
  REQUEST_TABLE,
  stepRequest,
  type RequestEvent,
  type RequestState,
} from '../../src/router/request-state.js';

const STATES: readonly RequestState[] = [
  { kind: 'params' },
  { kind: 'reading' },
  { kind: 'waiting', tries: { repeated: 0, undelivered: 0 } },
  { kind: 'streaming', tries: { repeated: 0, undelivered: 0 }, isHeadSent: false },
  { kind: 'streaming', tries: { repeated: 1, undelivered: 16 }, isHeadSent: false },
  { kind: 'streaming', tries: { repeated: 0, undelivered: 0 }, isHeadSent: true },
  { kind: 'aborting' },
  { kind: 'ended' },
];

const EVENTS: readonly RequestEvent[] = [
  { kind: 'routed', isBuffered: true },
  { kind: 'routed', isBuffered: false },
  { kind: 'bodyEnd' },
  { kind: 'assigned' },
  { kind: 'headSent' },
  { kind: 'answered', isShort: false },
  { kind: 'answered', isShort: true },
  { kind: 'lost', code: 'E_WORKER_DIED', retry: 'once' },
  { kind: 'lost', code: 'E_WORKER_DIED', retry: 'undelivered' },
  { kind: 'lost', code: 'E_WORKER_DIED', retry: 'never' },
  { kind: 'refused', code: 'E_QUEUE_FULL' },
  { kind: 'left', isBodyWhole: true },
  { kind: 'left', isBodyWhole: false },
  { kind: 'deadline', code: 'E_REQUEST_TIMEOUT' },
];

function edges(): readonly string[] {
  const found = new Set<string>();
  for (const state of STATES) {
    for (const event of EVENTS) {
      if (REQUEST_TABLE[state.kind][event.kind] === 'impossible') continue;
      const next = stepRequest(state, event).state;
      if (next.kind !== state.kind) found.add(`${state.kind} --> ${next.kind} : ${event.kind}`);
    }
  }
  return [...found].sort();
}

test('docs/states-request.md draws exactly the edges of the request table', () => {
  const text = fs.readFileSync('docs/states-request.md', 'utf8');
  const drawn = [...text.matchAll(/^ {2}(\w+ --> \w+ : \w+)$/gm)].map((match) => match[1]);
  assert.deepEqual(drawn.sort(), edges());
});

test('every way into ended sends exactly one end', () => {
  for (const state of STATES) {
    for (const event of EVENTS) {
      if (REQUEST_TABLE[state.kind][event.kind] === 'impossible') continue;
      const { state: next, effects } = stepRequest(state, event);
      const ends = effects.filter((effect) => effect.kind === 'end').length;
      assert.equal(ends, next.kind === 'ended' && state.kind !== 'ended' ? 1 : 0);
    }
  }
});

test('a worker slot is given back exactly once on every way out of streaming and aborting', () => {
  for (const state of STATES) {
    if (state.kind !== 'streaming' && state.kind !== 'aborting') continue;
    for (const event of EVENTS) {
      if (REQUEST_TABLE[state.kind][event.kind] === 'impossible') continue;
      const { state: next, effects } = stepRequest(state, event);
      const hasSlot = next.kind === 'streaming' || next.kind === 'aborting';
      const releases = effects.filter((effect) => effect.kind === 'release').length;
      assert.equal(releases, hasSlot ? 0 : 1, `${state.kind} ${event.kind}`);
    }
  }
});
