// Random lives of requests against a model: whatever the web server, the workers, the pool and the clock do, and in any order.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LIMITS } from '../../../src/limits.js';
import {
  PARAMS,
  REQUEST_TABLE,
  stepRequest,
  type RequestEffect,
  type RequestEvent,
  type RequestState,
} from '../../../src/router/request-state.js';

type Retry = Extract<RequestEvent, { kind: 'lost' }>['retry'];

/** What the world may do next. Which of it is possible is the model's business, not the table's. */
const move = fc.record({
  act: fc.constantFrom(
    'routed',
    'bodyEnd',
    'assigned',
    'headSent',
    'answered',
    'lost',
    'refused',
    'left',
    'deadline',
  ),
  isBuffered: fc.boolean(),
  isBodyWhole: fc.boolean(),
  isShort: fc.boolean(),
  retry: fc.constantFrom<Retry>('never', 'once', 'unread', 'undelivered'),
});
type Move = typeof move extends fc.Arbitrary<infer M> ? M : never;

/** The same life told in another way: who holds what, from the effects alone. */
class World {
  isParamsRead = false;
  isBodyEnded = false;
  isQueued = false;
  hasWorker = false;
  isHeadSent = false;
  isAbandoned = false;
  ends = 0;
  submits = 0;
  opens = 0;
  releases = 0;
  withdrawals = 0;

  /** Whether the world can do this now: a queue hands out what waits in it, a worker answers what it was given. */
  allows({ act }: Move): boolean {
    const possible: Readonly<Record<Move['act'], boolean>> = {
      routed: !this.isParamsRead && this.ends === 0,
      bodyEnd: this.isParamsRead && !this.isBodyEnded,
      assigned: this.isQueued,
      headSent: this.hasWorker && !this.isHeadSent,
      answered: this.hasWorker,
      lost: this.hasWorker,
      refused: true,
      left: true,
      deadline: true,
    };
    return possible[act];
  }

  perform(effect: RequestEffect): void {
    switch (effect.kind) {
      case 'submit':
        assert.ok(!this.isQueued && !this.hasWorker, 'submitted while it is somewhere else');
        this.isQueued = true;
        this.submits += 1;
        return;
      case 'withdraw':
        assert.ok(this.isQueued, 'withdrawn from a queue that it is not in');
        this.isQueued = false;
        this.withdrawals += 1;
        return;
      case 'open':
        assert.ok(this.hasWorker);
        this.opens += 1;
        return;
      case 'abandon':
        assert.ok(this.hasWorker && !this.isAbandoned);
        this.isAbandoned = true;
        return;
      case 'release':
        assert.ok(this.hasWorker, 'released a worker that it does not have');
        this.hasWorker = false;
        this.isHeadSent = false;
        this.releases += 1;
        return;
      case 'end':
        assert.equal(this.ends, 0, 'END_REQUEST comes once');
        assert.ok(!this.hasWorker, 'ended with a worker in hand');
        if (effect.how === 'error') assert.ok(!this.wasHeadSent, 'an error page after a head');
        this.ends += 1;
        return;
    }
  }

  /** Of the worker that it had last. */
  wasHeadSent = false;
}

const eventOf = ({ act, isBuffered, isBodyWhole, isShort, retry }: Move): RequestEvent => {
  switch (act) {
    case 'routed':
      return { kind: 'routed', isBuffered };
    case 'left':
      return { kind: 'left', isBodyWhole };
    case 'lost':
      return { kind: 'lost', code: 'E_WORKER_DIED', retry };
    case 'refused':
      return { kind: 'refused', code: 'E_QUEUE_FULL' };
    case 'deadline':
      return { kind: 'deadline', code: 'E_REQUEST_TIMEOUT' };
    case 'bodyEnd':
    case 'assigned':
    case 'headSent':
      return { kind: act };
    case 'answered':
      return { kind: 'answered', isShort };
  }
};

function live(moves: readonly Move[]): { readonly state: RequestState; readonly world: World } {
  const world = new World();
  let state: RequestState = PARAMS;
  for (const one of moves) {
    if (!world.allows(one)) continue;
    const before = state.kind;
    const step = stepRequest(state, eventOf(one)); // an impossible cell throws
    state = step.state;
    if (one.act === 'routed') world.isParamsRead = true;
    if (one.act === 'bodyEnd') world.isBodyEnded = true;
    if (one.act === 'assigned') {
      world.isQueued = false;
      world.hasWorker = true;
      world.wasHeadSent = false;
    }
    if (one.act === 'headSent') world.isHeadSent = world.wasHeadSent = true;
    if (one.act === 'refused' && before === 'waiting') world.isQueued = false; // by the pool itself
    step.effects.forEach((effect) => world.perform(effect));
  }
  return { state, world };
}

const lives = fc.array(move, { maxLength: 60 });

test('no life of a request reaches a cell that is impossible, ends twice, or keeps what it was given', () => {
  fc.assert(
    fc.property(lives, (moves) => {
      const { state, world } = live(moves);
      assert.equal(world.ends, state.kind === 'ended' ? 1 : 0);
      assert.equal(world.hasWorker, state.kind === 'streaming' || state.kind === 'aborting');
      assert.equal(world.isQueued, state.kind === 'waiting');
      assert.equal(world.opens, world.releases + (world.hasWorker ? 1 : 0));
    }),
    { numRuns: 3_000 },
  );
});

test('however often its workers are lost, a request meets a bounded number of them', () => {
  const most = 1 + LIMITS.unreadRetryMaxCount + LIMITS.undeliveredRetryMaxCount;
  const losing = fc.array(fc.constantFrom<Retry>('never', 'once', 'unread', 'undelivered'), {
    minLength: 40,
    maxLength: 80,
  });
  fc.assert(
    fc.property(losing, (losses) => {
      const base = { isBuffered: true, isBodyWhole: true, isShort: false, retry: 'never' } as const;
      const moves: Move[] = [
        { ...base, act: 'routed' },
        { ...base, act: 'bodyEnd' },
        ...losses.flatMap((retry): Move[] => [
          { ...base, act: 'assigned' },
          { ...base, act: 'lost', retry },
        ]),
      ];
      const { state, world } = live(moves);
      assert.equal(state.kind, 'ended');
      assert.ok(world.opens <= most, `${world.opens} workers`);
    }),
  );
});

test('from every state there is a way to the end, by whatever goes wrong', () => {
  fc.assert(
    fc.property(lives, (moves) => {
      const over: Move = {
        act: 'deadline',
        isBuffered: true,
        isBodyWhole: true,
        isShort: false,
        retry: 'never',
      };
      const { state, world } = live([...moves, over]);
      assert.equal(state.kind, 'ended');
      assert.equal(world.ends, 1);
    }),
  );
  for (const row of Object.values(REQUEST_TABLE)) {
    for (const event of ['refused', 'left', 'deadline'] as const) {
      assert.notEqual(row[event], 'impossible', 'the world may do this at any time');
    }
  }
});
