// When an application that keeps dying may start again: 1 s x 2, ±20 %, at most 60 s, never giving up. Pure.
import { LIMITS } from '../limits.js';

export interface Backoff {
  /** Crashes of young workers since the last sign of health, one for each batch of starts. */
  readonly failures: number;
  /** So many of them cost nothing: one after a sign of health, none before the first. */
  readonly forgiven: number;
  /** Starts up to the next failure are one batch; numbers, because two moments can be the same millisecond. */
  readonly batch: number;
  /** Workers that were asked for in it. */
  readonly starts: number;
  /** No start before this. */
  readonly blockedUntilMs: number;
  /**
   * One start in spite of that, for a request whose worker died: after the first crash only, and if it was the only worker
   * that was tried, because an application that goes on dying would start more often. `claimed`: such a request waits.
   */
  readonly secondTry: 'none' | 'offered' | 'claimed';
}

/** Of an application that was never started. */
export const NO_BACKOFF: Backoff = {
  failures: 0,
  forgiven: 0,
  batch: 0,
  starts: 0,
  blockedUntilMs: -Infinity,
  secondTry: 'none',
};

export interface Crash {
  readonly nowMs: number;
  /** The batch in which the worker was asked for. */
  readonly batch: number;
  /** It had answered, or lived long enough. */
  readonly wasHealthy: boolean;
  /** From 0 to below 1. */
  readonly random: number;
}

/** The delay after the n-th failure, from 1. */
export function backoffDelayMs(failures: number, random: number): number {
  const share = 1 + LIMITS.backoffJitterShare * (2 * random - 1);
  return Math.min(LIMITS.backoffMaxMs, LIMITS.backoffMinMs * 2 ** (failures - 1) * share);
}

/**
 * A worker ended by itself. A healthy one may be replaced at once. Several that were started together are one
 * failure, otherwise a cold start of four workers would wait as long as four crashes in a row.
 */
export function afterCrash(backoff: Backoff, crash: Crash): Backoff {
  if (crash.batch < backoff.batch) return backoff;
  if (crash.wasHealthy) return afterHealth(backoff);
  const failures = backoff.failures + 1;
  const counted = failures - backoff.forgiven;
  return {
    failures,
    forgiven: backoff.forgiven,
    batch: backoff.batch + 1,
    starts: 0,
    blockedUntilMs:
      counted > 0 ? crash.nowMs + backoffDelayMs(counted, crash.random) : backoff.blockedUntilMs,
    secondTry: counted === 1 && backoff.starts <= 1 ? 'offered' : 'none',
  };
}

/** A request comes back whose worker died. */
export function afterLoss(backoff: Backoff): Backoff {
  return backoff.secondTry === 'offered' ? { ...backoff, secondTry: 'claimed' } : backoff;
}

/** A worker was asked for. */
export function afterStart(backoff: Backoff): Backoff {
  if (backoff.secondTry === 'claimed') return { ...backoff, secondTry: 'none' };
  return { ...backoff, starts: backoff.starts + 1 };
}

/** The batch of a start of now: a second try belongs to the crash that it follows, and is no failure of its own. */
export function startBatch({ batch, secondTry }: Backoff): number {
  return secondTry === 'claimed' ? batch - 1 : batch;
}

/** A worker gave its first answer. */
export function afterHealth(backoff: Backoff): Backoff {
  return { ...NO_BACKOFF, forgiven: 1, batch: backoff.batch };
}

/** Somebody said to try again: deaths of workers from before do not count any more. */
export function afterReset(backoff: Backoff): Backoff {
  return { ...NO_BACKOFF, batch: backoff.batch + 1 };
}

/** Milliseconds until the next start is allowed; 0 if it is. */
export function blockedMs(backoff: Backoff, nowMs: number): number {
  if (backoff.secondTry === 'claimed') return 0;
  return Math.max(0, backoff.blockedUntilMs - nowMs);
}

/** Nothing has come up since the last crash: one start at a time is enough to find out. */
export function isProbing(backoff: Backoff): boolean {
  return backoff.failures > 0;
}
