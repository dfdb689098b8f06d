// Random orders of requests: what a round does, one step after the other. Plain values, so that fast-check can print and shrink them.
import fc from 'fast-check';

/** Front connections of a round, by number. */
const FRONTS_COUNT = 3;
const BODY_BYTES = [0, 0, 1, 1, 100, 100, 8_192, 8_192, 102_400, 2_097_152];
const ANSWER_BYTES = [0, 0, 1, 100, 100, 9_000, 70_000, 1_048_576];

/** What is asked of a worker. */
export interface Ask {
  readonly front: number;
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  readonly bodyBytes: number;
  readonly reads: 'all' | 'half' | 'none';
  readonly answerBytes: number;
  readonly hasLength: boolean;
  readonly hasStderr: boolean;
  readonly pieces: 1 | 4;
  /** The web server keeps its connection. */
  readonly keep: boolean;
  /** The web server knows the length of the body. */
  readonly isAnnounced: boolean;
  /** The body comes in so many turns of the event loop. */
  readonly uploadTurns: 1 | 3;
}

/** Where a worker waits until it is told to go on. */
export type HoldPlace = 'read' | 'head' | 'mid';

export type Step =
  /** Asks, and waits for the answer or for nothing. */
  | { readonly do: 'ask'; readonly ask: Ask; readonly isAwaited: boolean }
  /** Several at once. */
  | { readonly do: 'burst'; readonly asks: readonly Ask[] }
  /** While a worker holds one, something else happens. */
  | {
      readonly do: 'held';
      readonly ask: Ask;
      readonly at: HoldPlace;
      readonly then: 'abort' | 'close' | 'kill' | 'renew' | 'ask' | 'stop reading';
      readonly other: Ask;
    }
  /** The client goes in the middle of its upload, or as soon as everything is sent. */
  | {
      readonly do: 'leave';
      readonly ask: Ask;
      readonly when: 'upload' | 'sent';
      readonly how: 'abort' | 'close';
    }
  /** The worker dies of it, before its answer or in the middle. */
  | { readonly do: 'dies'; readonly ask: Ask; readonly how: 'die' | 'cut' }
  | { readonly do: 'kill'; readonly which: number }
  | { readonly do: 'renew' }
  /** Everything that was asked is answered. */
  | { readonly do: 'settle' };

export interface Round {
  readonly cap: number;
  /** Requests in the life of a worker, counted by usherd; 0: no limit. */
  readonly maxRequests: number;
  /** The same, counted by the worker itself. */
  readonly exitsAfter: number;
  /** Retired workers get SIGTERM; else SIGKILL. */
  readonly stopsGently: boolean;
  readonly buffers: boolean;
  readonly copiesStderr: boolean;
  readonly steps: readonly Step[];
}

const anyAsk: fc.Arbitrary<Ask> = fc.record({
  front: fc.nat(FRONTS_COUNT - 1),
  method: fc.constantFrom('GET', 'GET', 'HEAD', 'POST', 'POST', 'PUT', 'DELETE'),
  bodyBytes: fc.constantFrom(...BODY_BYTES),
  reads: fc.constantFrom('all', 'half', 'none'),
  answerBytes: fc.constantFrom(...ANSWER_BYTES),
  hasLength: fc.boolean(),
  hasStderr: fc.constantFrom(false, false, true),
  pieces: fc.constantFrom(1, 4),
  keep: fc.constantFrom(true, true, true, false),
  isAnnounced: fc.constantFrom(true, true, false),
  uploadTurns: fc.constantFrom(1, 3),
});

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ do: fc.constant('ask'), ask: anyAsk, isAwaited: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('burst'),
      asks: fc.array(anyAsk, { minLength: 2, maxLength: 6 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('held'),
      ask: anyAsk,
      at: fc.constantFrom('read', 'head', 'mid'),
      then: fc.constantFrom('abort', 'close', 'kill', 'renew', 'ask', 'stop reading'),
      other: anyAsk,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('leave'),
      ask: anyAsk,
      when: fc.constantFrom('upload', 'sent'),
      how: fc.constantFrom('abort', 'close'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('dies'),
      ask: anyAsk,
      how: fc.constantFrom('die', 'cut'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('kill'), which: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('renew') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('settle') }) },
);

export const anyRound = (steps: {
  readonly min: number;
  readonly max: number;
}): fc.Arbitrary<Round> =>
  fc.record({
    cap: fc.integer({ min: 1, max: 3 }),
    maxRequests: fc.constantFrom(0, 0, 1, 2, 5),
    exitsAfter: fc.constantFrom(0, 0, 0, 1, 3),
    stopsGently: fc.boolean(),
    buffers: fc.constantFrom(true, true, false),
    copiesStderr: fc.boolean(),
    steps: fc.array(anyStep, { minLength: steps.min, maxLength: steps.max, size: 'max' }),
  });
