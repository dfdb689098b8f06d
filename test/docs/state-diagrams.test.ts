// The state diagrams of docs/architecture.md are the tables in the code, edge by edge.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as pool from '../../src/pool/worker-state.js';
import * as spawner from '../../src/spawner/worker-state.js';

const DOCUMENT = join(import.meta.dirname, '../../../docs/architecture.md');

/** The edges of the diagram that follows the comment about `file`. */
function drawnEdges(file: string): string[] {
  const text = readFileSync(DOCUMENT, 'utf8');
  const [, diagram] = text.split(`<!-- states of ${file};`);
  assert.ok(diagram !== undefined, `no diagram of ${file}`);
  const edges = diagram.split('```')[1]?.match(/\w+ --> \w+: \w+/g) ?? [];
  return edges.sort();
}

interface Kind {
  readonly kind: string;
}

/** Every change of state that a table makes for these samples; `impossible` cells throw and have no edge. */
function edgesOf<S extends Kind, E extends Kind>(
  step: (state: S, event: E) => { readonly state: S },
  states: readonly S[],
  events: readonly E[],
): string[] {
  const edge = (from: S, event: E): string[] => {
    try {
      const to = step(from, event).state;
      return to.kind === from.kind ? [] : [`${from.kind} --> ${to.kind}: ${event.kind}`];
    } catch {
      return [];
    }
  };
  const edges = states.flatMap((from) => events.flatMap((event) => edge(from, event)));
  return [...new Set(edges)].sort();
}

const REASON = 'idle';
const COUNTS = [0, 1, 2];

test('the life of a worker in the router is drawn as it is', () => {
  const states: pool.WorkerState[] = [
    ...COUNTS.map((inFlight) => ({ kind: 'starting', inFlight }) as const),
    ...COUNTS.map((inFlight) => ({ kind: 'ready', inFlight }) as const),
    ...COUNTS.slice(1).map((inFlight) => ({ kind: 'draining', inFlight, reason: REASON }) as const),
    { kind: 'stopping', reason: REASON },
    { kind: 'exited' },
  ];
  const events: pool.WorkerEvent[] = [
    { kind: 'ready' },
    { kind: 'assigned' },
    { kind: 'ended' },
    { kind: 'retire', reason: REASON },
    { kind: 'deadline', reason: REASON },
    { kind: 'exit' },
  ];
  assert.deepEqual(
    new Set(states.map(({ kind }) => kind)),
    new Set(Object.keys(pool.WORKER_TABLE)),
  );
  assert.deepEqual(
    drawnEdges('src/pool/worker-state.ts'),
    edgesOf(pool.stepWorker, states, events),
  );
});

test('the life of a worker in the supervisor is drawn as it is', () => {
  const kinds = Object.keys(spawner.WORKER_TABLE) as spawner.WorkerState['kind'][];
  const states = kinds.map((kind) => ({ kind }));
  const events: spawner.WorkerEvent[] = [
    { kind: 'started' },
    { kind: 'terminate', signal: 'SIGTERM', graceMs: 1 },
    { kind: 'kill' },
    { kind: 'deadline' },
    { kind: 'exit', exit: { by: 'code', code: 0 } },
  ];
  const edges = edgesOf(spawner.stepWorker, states, events);
  assert.deepEqual(drawnEdges('src/spawner/worker-state.ts'), edges);
});
