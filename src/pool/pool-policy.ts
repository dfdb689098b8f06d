// How many workers to start now, and who may have the slots for them. Pure: numbers in, numbers out.
import { LIMITS } from '../limits.js';

/** What one pool has to do, and with what. */
export interface Load {
  /** Requests that wait. */
  readonly queued: number;
  readonly oldestWaitMs: number;
  /** Workers that were asked for and are not spawned yet. */
  readonly asked: number;
  /** Workers that are spawned and have not answered yet. */
  readonly starting: number;
  /** What these may still take. */
  readonly startingFree: number;
  /** Requests on workers that have answered before. */
  readonly busy: number;
  /** Requests that one worker takes at once. */
  readonly concurrency: number;
  /** Recent means; undefined as long as nothing is known. */
  readonly startMs: number | undefined;
  readonly serviceMs: number | undefined;
}

/** What holds a pool to fewer workers than it would like, and what asks for more. */
export interface Bounds {
  /** Processes of the pool, asked for or there, whatever their state. */
  readonly count: number;
  readonly max: number;
  /** Workers that take requests, or will; and how many are to be kept. */
  readonly usable: number;
  readonly min: number;
  /** A worker has to be replaced whatever the load. */
  readonly renew: boolean;
  /** Nothing came up since the last crash. */
  readonly isProbing: boolean;
}

/** Requests that busy workers will take before a worker started now would. */
function takenSooner(load: Load): number {
  if (load.startMs === undefined || load.serviceMs === undefined) return 0;
  // The estimate was wrong: somebody waits as long as a start would have taken.
  if (load.oldestWaitMs >= load.startMs) return 0;
  if (load.busy === 0) return 0;
  return Math.floor((load.busy * load.startMs) / Math.max(load.serviceMs, Number.EPSILON));
}

/** Workers that the waiting requests call for, beyond those that are coming. */
export function workersForLoad(load: Load): number {
  const covered = load.asked * load.concurrency + load.startingFree;
  const uncovered = load.queued - covered;
  if (uncovered <= 0) return 0;
  return Math.max(0, Math.ceil((uncovered - takenSooner(load)) / load.concurrency));
}

/** When to look again because the estimate kept a start back; undefined if it did not. */
export function recheckAfterMs(load: Load): number | undefined {
  if (load.startMs === undefined || load.queued === 0 || takenSooner(load) === 0) return undefined;
  return load.startMs - load.oldestWaitMs;
}

/** Workers to start now, if there are slots for them. */
export function workersToStart(load: Load, bounds: Bounds): number {
  const wished = Math.max(workersForLoad(load), bounds.min - bounds.usable, 0);
  const allowed = Math.min(wished, Math.max(0, bounds.max - bounds.count));
  // One to renew is asked for even at the cap: an outdated worker makes room for it.
  const wanted = Math.max(allowed, bounds.renew ? 1 : 0);
  return bounds.isProbing ? Math.min(wanted, Math.max(0, 1 - load.asked - load.starting)) : wanted;
}

/** Slots of the total that only users without any worker may take. */
export function reserveOf(slots: number): number {
  return Math.max(1, Math.floor(slots / LIMITS.poolReserveDivisor));
}

/** Whether somebody who holds `held` slots may have one more of `max`, `count` of which are taken. */
export function hasRoom(held: number, count: number, max: number, reserve: number): boolean {
  return count < (held === 0 ? max : max - reserve);
}

export interface Contest {
  /** Slots of the one who has a worker that just became free, and of the one who waits. */
  readonly held: number;
  readonly waitersHeld: number;
  readonly waitedMs: number;
  /** The one who has it has a request for it. */
  readonly isWanted: boolean;
}

/** Whether a free worker is given up for somebody who waits for its slot. */
export function yields(contest: Contest): boolean {
  if (!contest.isWanted) return true;
  if (contest.held > contest.waitersHeld + 1) return true;
  // All have one: they take turns, but no faster than this, because each turn costs a start.
  return contest.waitersHeld === 0 && contest.waitedMs >= LIMITS.poolYieldAfterMs;
}
