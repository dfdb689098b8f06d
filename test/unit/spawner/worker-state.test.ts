import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LIMITS } from '../../../src/limits.js';
import {
  WORKER_TABLE,
  stepWorker,
  type WorkerEvent,
  type WorkerState,
  type WorkerStep,
} from '../../../src/spawner/worker-state.js';

const EVENTS: readonly WorkerEvent[] = [
  { kind: 'started' },
  { kind: 'terminate', signal: 'SIGINT', graceMs: 700 },
  { kind: 'kill' },
  { kind: 'deadline' },
  { kind: 'exit', exit: { by: 'code', code: 3 } },
];
const STATES = Object.keys(WORKER_TABLE) as WorkerState['kind'][];

function run(...kinds: WorkerEvent['kind'][]): WorkerStep {
  let step: WorkerStep = { state: { kind: 'launching' }, effects: [] };
  for (const kind of kinds) {
    const event = EVENTS.find((each) => each.kind === kind);
    assert.ok(event);
    step = stepWorker(step.state, event);
  }
  return step;
}

/** `!` where the event cannot come. */
function nextOf(kind: WorkerState['kind'], event: WorkerEvent): string {
  try {
    return stepWorker({ kind }, event).state.kind;
  } catch {
    return '!';
  }
}

describe('the life of a worker process', () => {
  it('has these ways from state to state, and no others', () => {
    const edges = STATES.flatMap((kind) =>
      EVENTS.map((event) => ({ from: kind, event: event.kind, to: nextOf(kind, event) })),
    )
      .filter(({ from, to }) => from !== to)
      .map(({ from, event, to }) => `${from} ${event} ${to}`);
    assert.deepEqual(edges, [
      'launching started running',
      'launching terminate killing',
      'launching kill killing',
      'launching deadline !',
      'launching exit gone',
      'running started !',
      'running terminate terminating',
      'running kill killing',
      'running deadline !',
      'running exit gone',
      'terminating started !',
      'terminating kill killing',
      'terminating deadline killing',
      'terminating exit gone',
      'killing deadline gone',
      'killing exit gone',
      'gone deadline !',
    ]);
  });

  it('ends from every state by its exit, and always gives back what it held', () => {
    for (const kind of STATES.filter((state) => state !== 'gone')) {
      const { state, effects } = stepWorker(
        { kind },
        { kind: 'exit', exit: { by: 'code', code: 0 } },
      );
      assert.equal(state.kind, 'gone');
      assert.deepEqual(
        effects.map((effect) => effect.kind),
        ['disarm', 'sweep', 'end'],
      );
    }
  });

  it('asks with the signal it is told, and kills when the grace is over', () => {
    assert.deepEqual(run('started', 'terminate').effects, [
      { kind: 'signal', signal: 'SIGINT' },
      { kind: 'arm', afterMs: 700 },
    ]);
    assert.deepEqual(run('started', 'terminate', 'deadline').effects, [
      { kind: 'kill' },
      { kind: 'arm', afterMs: LIMITS.workerLostAfterKillMs },
    ]);
  });

  it('does not ask before there is a program, and not twice', () => {
    assert.equal(run('terminate').state.kind, 'killing');
    assert.deepEqual(run('started', 'terminate', 'terminate').effects, []);
    assert.deepEqual(run('kill', 'kill').effects, []);
  });

  it('is wanted when it was asked for, and a crash when not', () => {
    const wanted = (step: WorkerStep): boolean | undefined =>
      step.effects.find((effect) => effect.kind === 'end')?.wanted;
    assert.equal(wanted(run('started', 'exit')), false);
    assert.equal(wanted(run('exit')), false);
    assert.equal(wanted(run('started', 'terminate', 'exit')), true);
    assert.equal(wanted(run('started', 'kill', 'exit')), true);
  });

  it('is lost when it survives KILL, and is cleaned up after when it ends at last', () => {
    const lost = run('started', 'kill', 'deadline');
    assert.deepEqual(lost.effects.at(-1), { kind: 'end', exit: { by: 'lost' }, wanted: true });
    assert.deepEqual(run('started', 'kill', 'deadline', 'exit').effects, [{ kind: 'sweep' }]);
  });
});
