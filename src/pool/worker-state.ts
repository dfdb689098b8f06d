// The life of one worker as the router sees it: states x events as a total table, effects as data. Nothing here acts.
//
// A worker's listening socket exists before the worker does, so requests may be assigned while it starts: they wait
// in its accept queue. `ready` is the first byte of its first answer. `retire` means no more requests, those that it
// has may end; `deadline` means that its requests are given up and it stops now.
import { AssertionError } from 'node:assert';
import type { RetireReason } from './retire-reason.js';

export type WorkerState =
  | { readonly kind: 'starting'; readonly inFlight: number }
  | { readonly kind: 'ready'; readonly inFlight: number }
  | { readonly kind: 'draining'; readonly inFlight: number; readonly reason: RetireReason }
  | { readonly kind: 'stopping'; readonly reason: RetireReason }
  | { readonly kind: 'exited' };

export type WorkerEvent =
  | { readonly kind: 'ready' }
  | { readonly kind: 'assigned' }
  | { readonly kind: 'ended' }
  | { readonly kind: 'retire'; readonly reason: RetireReason }
  | { readonly kind: 'deadline'; readonly reason: RetireReason }
  | { readonly kind: 'exit' };

export type WorkerEffect =
  | { readonly kind: 'retire'; readonly reason: RetireReason } // the supervisor is to stop it
  | { readonly kind: 'idle' } // its last request ended and it may have another
  | { readonly kind: 'gone' }; // the process is no more; its slot is free

export interface WorkerStep {
  readonly state: WorkerState;
  readonly effects: readonly WorkerEffect[];
}

type StateOf<S extends WorkerState['kind']> = Extract<WorkerState, { readonly kind: S }>;
type EventOf<E extends WorkerEvent['kind']> = Extract<WorkerEvent, { readonly kind: E }>;
type Transition<S extends WorkerState, E extends WorkerEvent> = (state: S, event: E) => WorkerStep;
type Cell<S extends WorkerState['kind'], E extends WorkerEvent['kind']> =
  'stay' | 'impossible' | Transition<StateOf<S>, EventOf<E>>;
type Table = {
  readonly [S in WorkerState['kind']]: { readonly [E in WorkerEvent['kind']]: Cell<S, E> };
};

const NOTHING: readonly WorkerEffect[] = [];
const IDLE: readonly WorkerEffect[] = [{ kind: 'idle' }];
const EXITED: WorkerStep = { state: { kind: 'exited' }, effects: [{ kind: 'gone' }] };

type Usable = StateOf<'starting'> | StateOf<'ready'>;

const bug = (message: string): never => {
  throw new AssertionError({ message });
};

const lessOne = (inFlight: number): number =>
  inFlight > 0 ? inFlight - 1 : bug('a request ended on a worker that had none');

const stop = (reason: RetireReason): WorkerStep => ({
  state: { kind: 'stopping', reason },
  effects: [{ kind: 'retire', reason }],
});

const countUp = (state: Usable): WorkerStep => ({
  state: { kind: state.kind, inFlight: state.inFlight + 1 },
  effects: NOTHING,
});

const countDown = (state: Usable): WorkerStep => {
  const inFlight = lessOne(state.inFlight);
  return { state: { kind: state.kind, inFlight }, effects: inFlight === 0 ? IDLE : NOTHING };
};

const retire = (state: Usable, event: EventOf<'retire'>): WorkerStep =>
  state.inFlight === 0
    ? stop(event.reason)
    : {
        state: { kind: 'draining', inFlight: state.inFlight, reason: event.reason },
        effects: NOTHING,
      };

const giveUp = (_state: WorkerState, event: EventOf<'deadline'>): WorkerStep => stop(event.reason);

const exit = (): WorkerStep => EXITED;

export const WORKER_TABLE: Table = {
  starting: {
    ready: (state) => ({ state: { kind: 'ready', inFlight: state.inFlight }, effects: NOTHING }),
    assigned: countUp, // waits in the accept queue
    ended: countDown, // the web server left, or the request was given up
    retire,
    deadline: giveUp,
    exit,
  },
  ready: {
    ready: 'stay', // every answer has a first byte
    assigned: countUp,
    ended: countDown,
    retire,
    deadline: giveUp,
    exit,
  },
  draining: {
    ready: 'stay', // retired before its first answer
    assigned: 'impossible',
    ended: (state) => {
      const inFlight = lessOne(state.inFlight);
      return inFlight === 0
        ? stop(state.reason)
        : { state: { ...state, inFlight }, effects: NOTHING };
    },
    retire: 'stay', // the first reason stands
    deadline: giveUp,
    exit,
  },
  stopping: {
    ready: 'stay', // bytes on their way
    assigned: 'impossible',
    ended: 'stay', // a request that was given up
    retire: 'stay',
    deadline: 'stay', // the supervisor kills what does not stop
    exit,
  },
  exited: {
    ready: 'stay', // the exit may be seen before the last bytes are read
    assigned: 'impossible',
    ended: 'stay',
    retire: 'stay',
    deadline: 'stay', // fired in the turn in which the exit was seen
    exit: 'impossible',
  },
};

/**
 * The next state and what has to be done about it.
 * @throws AssertionError for an event that cannot happen in this state: a bug of ours.
 */
export function stepWorker(state: WorkerState, event: WorkerEvent): WorkerStep {
  // The compiler cannot correlate the two lookups; the type of the table can.
  const cell = WORKER_TABLE[state.kind][event.kind] as
    'stay' | 'impossible' | Transition<WorkerState, WorkerEvent>;
  if (cell === 'stay') return { state, effects: NOTHING };
  if (cell === 'impossible') return bug(`${event.kind} in state ${state.kind}`);
  return cell(state, event);
}
