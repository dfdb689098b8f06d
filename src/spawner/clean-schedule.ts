// Whose private directory is due, and when: pure, a name and a time each.
import { LIMITS } from '../limits.js';

export interface CleanTimes {
  /** From a user's first worker. */
  readonly firstAfterMs: number;
  readonly intervalMs: number;
}

export const DAILY: CleanTimes = {
  firstAfterMs: LIMITS.cleanerFirstAfterMs,
  intervalMs: LIMITS.cleanerIntervalMs,
};

export class CleanSchedule {
  readonly #times: CleanTimes;
  readonly #dueAtMs = new Map<string, number>();

  constructor(times: CleanTimes) {
    this.#times = times;
  }

  /** This user has a worker; one who is known already keeps his time. */
  seen(user: string, nowMs: number): void {
    if (this.#dueAtMs.has(user) || this.#dueAtMs.size >= LIMITS.cleanerUsersMaxCount) return;
    this.#dueAtMs.set(user, nowMs + this.#times.firstAfterMs);
  }

  /** Cleaned, or tried in vain: both again after the same time. */
  done(user: string, nowMs: number): void {
    if (this.#dueAtMs.has(user)) this.#dueAtMs.set(user, nowMs + this.#times.intervalMs);
  }

  /** There is no such account any more. */
  forget(user: string): void {
    this.#dueAtMs.delete(user);
  }

  /** The first of all; undefined if nobody was ever seen. */
  next(): { readonly user: string; readonly dueAtMs: number } | undefined {
    let first: { user: string; dueAtMs: number } | undefined;
    for (const [user, dueAtMs] of this.#dueAtMs) {
      if (first === undefined || dueAtMs < first.dueAtMs) first = { user, dueAtMs };
    }
    return first;
  }
}
