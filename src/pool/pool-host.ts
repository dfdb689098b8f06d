// What all pools share, so that a bound over all of them can be kept in one place.
import type { Clock } from './clock.js';
import type { PoolCallbacks } from './pool-contract.js';
import type { Slots } from './slots.js';
import type { TicketIndex } from './wait-queue.js';

/** Requests since the start. */
export interface Tally {
  submitted: number;
  assigned: number;
  refused: number;
  withdrawn: number;
}

export interface PoolHost<T> {
  readonly callbacks: PoolCallbacks<T>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly slots: Slots;
  readonly tickets: TicketIndex<T>;
  readonly tally: Tally;
  /** Since when the supervisor is away; undefined while it is there. */
  readonly supervisorAwaySinceMs: () => number | undefined;
  /** A pool has neither workers nor requests and may be forgotten after a while. */
  readonly quiet: (app: string, runtime: string) => void;
}
