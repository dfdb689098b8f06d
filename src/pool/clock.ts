// The only source of time for pools: monotonic milliseconds and one-shot timers, injected so that tests can turn it.
import { performance } from 'node:perf_hooks';

export interface Clock {
  /** Monotonic milliseconds; never jumps with the wall clock. */
  now(): number;
  schedule(delayMs: number, run: () => void): unknown;
  cancel(timer: unknown): void;
}

/** The longest delay that setTimeout(3) of Node takes; a longer one would fire at once. */
const DELAY_MAX_MS = 2 ** 31 - 1;

/** Its timers do not keep the process alive: what waits for them holds a socket that does. */
export const systemClock: Clock = {
  now: () => performance.now(),
  schedule: (delayMs, run) =>
    setTimeout(run, Math.min(DELAY_MAX_MS, Math.max(0, Math.ceil(delayMs)))).unref(),
  cancel: (timer) => clearTimeout(timer as NodeJS.Timeout | undefined),
};
