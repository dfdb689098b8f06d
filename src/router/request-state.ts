// The life of one request in the router as a total table: states x events, pure; request.ts performs the effects.
import type { ErrorCode } from '../errors.js';
import { LIMITS } from '../limits.js';
import type { RequestEnd } from '../pool/index.js';

/** How often it was given to a worker in vain. */
interface Tries {
  /** A worker had it and died: it may have begun. */
  readonly repeated: number;
  /** It never reached the worker: the connection failed. */
  readonly undelivered: number;
}

/**
 * Whether a lost request may be tried elsewhere: never, once more, a few times (not all of it was read), or (nothing of
 * it was) until workers run out.
 */
export type Retry = 'never' | 'once' | 'unread' | 'undelivered';

export type RequestState =
  /** Its PARAMS stream is being received. */
  | { readonly kind: 'params' }
  /** Routed; its body is read ahead, so that a slow client holds no worker. */
  | { readonly kind: 'reading' }
  /** In its application's queue. */
  | { readonly kind: 'waiting'; readonly tries: Tries }
  /** A worker has it. */
  | { readonly kind: 'streaming'; readonly tries: Tries; readonly isHeadSent: boolean }
  /** The client left; the worker is still busy with it and its answer is thrown away. */
  | { readonly kind: 'aborting' }
  /** END_REQUEST is sent; the request id is free again (FastCGI 1.0 §3.3). */
  | { readonly kind: 'ended' };

export type RequestEvent =
  | { readonly kind: 'routed'; readonly isBuffered: boolean }
  | { readonly kind: 'bodyEnd' }
  | { readonly kind: 'assigned' }
  | { readonly kind: 'headSent' }
  /** The worker's END_REQUEST came: the answer is whole, or shorter than it said. */
  | { readonly kind: 'answered'; readonly isShort: boolean }
  /** The worker connection is over without a whole answer. */
  | { readonly kind: 'lost'; readonly code: ErrorCode; readonly retry: Retry }
  | { readonly kind: 'refused'; readonly code: ErrorCode }
  /** ABORT_REQUEST, or the web server closed the connection. */
  | { readonly kind: 'left'; readonly isBodyWhole: boolean }
  | { readonly kind: 'deadline'; readonly code: ErrorCode };

/** How it leaves its worker; `deadline`: the worker still has it and is stopped. */
export type Outcome = RequestEnd | 'deadline';

export type RequestEffect =
  | { readonly kind: 'submit'; readonly isRetry: boolean }
  | { readonly kind: 'open' }
  | { readonly kind: 'withdraw' }
  /** Go on reading the worker, throw its bytes away, so that it is known when it is free. */
  | { readonly kind: 'abandon' }
  /** Give the worker slot back; after all but `clean` the worker is not to be used again. */
  | { readonly kind: 'release'; readonly outcome: Outcome }
  /** The one place where END_REQUEST comes from. `cut`: close instead, the answer is not whole. */
  | { readonly kind: 'end'; readonly how: 'complete' | 'cut' | 'silent' }
  | { readonly kind: 'end'; readonly how: 'error'; readonly code: ErrorCode };

export interface RequestStep {
  readonly state: RequestState;
  readonly effects: readonly RequestEffect[];
}

export type RequestStateKind = RequestState['kind'];
export type RequestEventKind = RequestEvent['kind'];
type StateOf<S extends RequestStateKind> = Extract<RequestState, { kind: S }>;
type EventOf<E extends RequestEventKind> = Extract<RequestEvent, { kind: E }>;
type Cell<S extends RequestStateKind, E extends RequestEventKind> =
  'stay' | 'impossible' | ((state: StateOf<S>, event: EventOf<E>) => RequestStep);

type Table = {
  readonly [S in RequestStateKind]: { readonly [E in RequestEventKind]: Cell<S, E> };
};

export const PARAMS: RequestState = Object.freeze({ kind: 'params' });
const READING: RequestState = Object.freeze({ kind: 'reading' });
const ABORTING: RequestState = Object.freeze({ kind: 'aborting' });
const ENDED: RequestState = Object.freeze({ kind: 'ended' });
const FIRST_WAIT: RequestState = Object.freeze({
  kind: 'waiting',
  tries: Object.freeze({ repeated: 0, undelivered: 0 }),
});

// The steps of an ordinary request, made once.
const NOTHING: readonly RequestEffect[] = [];
const SUBMIT = [{ kind: 'submit', isRetry: false }] as const;
const READ_AHEAD: RequestStep = { state: READING, effects: NOTHING };
const FIRST_SUBMIT: RequestStep = { state: FIRST_WAIT, effects: SUBMIT };
const OPEN = [{ kind: 'open' }] as const;
const COMPLETE: RequestStep = {
  state: ENDED,
  effects: [
    { kind: 'release', outcome: 'clean' },
    { kind: 'end', how: 'complete' },
  ],
};
const SILENT = { kind: 'end', how: 'silent' } as const;
const CUT = { kind: 'end', how: 'cut' } as const;

const fail = (_state: RequestState, event: { readonly code: ErrorCode }): RequestStep => ({
  state: ENDED,
  effects: [{ kind: 'end', how: 'error', code: event.code }],
});
const vanish = (): RequestStep => ({ state: ENDED, effects: [SILENT] });

/** An answer whose head is out can only be cut: an END_REQUEST would make it look whole. */
const broken = (state: StateOf<'streaming'>, code: ErrorCode, outcome: Outcome): RequestStep => ({
  state: ENDED,
  effects: [
    { kind: 'release', outcome },
    state.isHeadSent ? CUT : { kind: 'end', how: 'error', code },
  ],
});

/** What the next try would be; undefined if there is none. */
function nextTries({ repeated, undelivered }: Tries, retry: Retry): Tries | undefined {
  const repeatedMax = retry === 'unread' ? LIMITS.unreadRetryMaxCount : LIMITS.retryMaxCount;
  if ((retry === 'once' || retry === 'unread') && repeated < repeatedMax) {
    return { repeated: repeated + 1, undelivered };
  }
  if (retry === 'undelivered' && undelivered < LIMITS.undeliveredRetryMaxCount) {
    return { repeated, undelivered: undelivered + 1 };
  }
  return undefined;
}

/** A worker that answers nonsense is alive; one that we could not reach has done nothing. */
function endOf(code: ErrorCode): RequestEnd {
  if (code === 'E_NO_DESCRIPTOR') return 'clean';
  return code === 'E_WORKER_DIED' ? 'died' : 'dirty';
}

const onLost = (state: StateOf<'streaming'>, event: EventOf<'lost'>): RequestStep => {
  const tries = state.isHeadSent ? undefined : nextTries(state.tries, event.retry);
  const outcome = endOf(event.code);
  if (tries === undefined) return broken(state, event.code, outcome);
  return {
    state: { kind: 'waiting', tries },
    effects: [
      { kind: 'release', outcome },
      { kind: 'submit', isRetry: true },
    ],
  };
};

export const REQUEST_TABLE: Table = {
  params: {
    routed: (_state, event) => (event.isBuffered ? READ_AHEAD : FIRST_SUBMIT),
    bodyEnd: 'impossible', // STDIN before the end of PARAMS is a framing error of the connection
    assigned: 'impossible',
    headSent: 'impossible',
    answered: 'impossible',
    lost: 'impossible',
    refused: fail,
    left: vanish,
    deadline: fail,
  },
  reading: {
    routed: 'impossible',
    bodyEnd: () => FIRST_SUBMIT,
    assigned: 'impossible',
    headSent: 'impossible',
    answered: 'impossible',
    lost: 'impossible',
    refused: fail,
    left: vanish,
    deadline: fail,
  },
  waiting: {
    routed: 'impossible',
    bodyEnd: 'stay', // streamed body
    assigned: (state) => ({
      state: { kind: 'streaming', tries: state.tries, isHeadSent: false },
      effects: OPEN,
    }),
    headSent: 'impossible',
    answered: 'impossible',
    lost: 'impossible',
    refused: fail,
    left: () => ({ state: ENDED, effects: [{ kind: 'withdraw' }, SILENT] }),
    deadline: (_state, event) => ({
      state: ENDED,
      effects: [{ kind: 'withdraw' }, { kind: 'end', how: 'error', code: event.code }],
    }),
  },
  streaming: {
    routed: 'impossible',
    bodyEnd: 'stay',
    assigned: 'impossible',
    headSent: (state) => ({
      state: { kind: 'streaming', tries: state.tries, isHeadSent: true },
      effects: NOTHING,
    }),
    // A worker that announces more than it sends is alive and well.
    answered: (state, { isShort }) =>
      isShort ? broken(state, 'E_WORKER_PROTOCOL', 'clean') : COMPLETE,
    lost: onLost,
    refused: (state, event) => broken(state, event.code, 'dirty'),
    // A worker that waits for the rest of a streamed body would wait for ever.
    left: (_state, { isBodyWhole }) =>
      isBodyWhole
        ? { state: ABORTING, effects: [{ kind: 'abandon' }] }
        : { state: ENDED, effects: [{ kind: 'release', outcome: 'dirty' }, SILENT] },
    deadline: (state, event) => broken(state, event.code, 'deadline'),
  },
  aborting: {
    routed: 'impossible',
    bodyEnd: 'stay',
    assigned: 'impossible',
    headSent: 'stay', // decided before the abort was seen
    answered: () => ({ state: ENDED, effects: [{ kind: 'release', outcome: 'clean' }, SILENT] }),
    lost: (_state, { code }) => ({
      state: ENDED,
      effects: [{ kind: 'release', outcome: endOf(code) }, SILENT],
    }),
    refused: 'stay',
    left: 'stay',
    deadline: () => ({ state: ENDED, effects: [{ kind: 'release', outcome: 'deadline' }, SILENT] }),
  },
  ended: {
    routed: 'impossible',
    bodyEnd: 'stay', // the rest of an upload whose answer came early
    assigned: 'impossible', // it was withdrawn
    headSent: 'impossible',
    answered: 'impossible',
    lost: 'stay', // closing the worker connection is the last thing that happens to it
    refused: 'stay',
    left: 'stay',
    deadline: 'stay', // fired in the same turn in which it was disarmed
  },
};

/**
 * One step of the table.
 * @throws Error for a cell that is `impossible`: a bug of ours, never a peer's doing.
 */
export function stepRequest(state: RequestState, event: RequestEvent): RequestStep {
  // The compiler cannot correlate the two lookups (the cells are checked where they are written).
  const cell = REQUEST_TABLE[state.kind][event.kind] as Cell<RequestStateKind, RequestEventKind>;
  if (cell === 'stay') return { state, effects: NOTHING };
  if (cell === 'impossible') {
    throw new Error(`request: ${event.kind} cannot happen in state ${state.kind}`);
  }
  return cell(state, event);
}
