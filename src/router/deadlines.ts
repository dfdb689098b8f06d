// The deadlines that a request is under: several at once, one timer, which rings for the nearest and looks again.
import type { ErrorCode } from '../errors.js';

/** A deadline that has passed, with what its log line needs. */
export interface Passed {
  readonly code: ErrorCode;
  readonly limitMs: number;
  readonly elapsedMs: number;
  /** Which layer of the configuration the limit comes from; `built-in` where none has it. */
  readonly limitFrom: string;
}

export interface Term {
  readonly limitMs: number;
  readonly limitFrom?: string;
  /** From when it counts; now where it is not given. */
  readonly sinceMs?: number;
}

interface Running {
  readonly code: ErrorCode;
  readonly limitMs: number;
  readonly limitFrom: string;
  sinceMs: number;
}

/** Those of a request's time at one worker. */
export const LEG_DEADLINES: readonly ErrorCode[] = [
  'E_START_TIMEOUT',
  'E_FIRST_BYTE_TIMEOUT',
  'E_SILENCE_TIMEOUT',
  'E_REQUEST_TIMEOUT',
];

export class Deadlines {
  readonly #onPassed: (passed: Passed) => void;
  readonly #running: Running[] = [];
  #timer: NodeJS.Timeout | undefined;
  #timerAtMs = Infinity;

  constructor(onPassed: (passed: Passed) => void) {
    this.#onPassed = onPassed;
  }

  arm(
    code: ErrorCode,
    { limitMs, limitFrom = 'built-in', sinceMs = performance.now() }: Term,
  ): void {
    this.disarm(code);
    this.#running.push({ code, limitMs, limitFrom, sinceMs });
    this.#schedule(sinceMs + limitMs);
  }

  /** It counts from now on: what it waits for goes on. Costs no timer. */
  restart(code: ErrorCode): void {
    const one = this.#running.find((running) => running.code === code);
    if (one !== undefined) one.sinceMs = performance.now();
  }

  disarm(...codes: readonly ErrorCode[]): void {
    for (const code of codes) {
      const at = this.#running.findIndex((running) => running.code === code);
      if (at >= 0) this.#running.splice(at, 1);
    }
  }

  disarmAll(): void {
    this.#running.length = 0;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#timerAtMs = Infinity;
  }

  /** A timer that rings too early is left alone: looking again is cheaper than setting another. */
  #schedule(atMs: number): void {
    if (this.#timerAtMs <= atMs) return;
    clearTimeout(this.#timer);
    this.#timerAtMs = atMs;
    // Rounded up, because a timer of setTimeout(3) may ring a fraction of a millisecond early.
    const delayMs = Math.max(0, Math.ceil(atMs - performance.now()));
    this.#timer = setTimeout(() => this.#ring(), delayMs);
  }

  #ring(): void {
    this.#timer = undefined;
    this.#timerAtMs = Infinity;
    const nowMs = performance.now();
    const passed = this.#running.find(({ sinceMs, limitMs }) => sinceMs + limitMs <= nowMs);
    if (passed !== undefined) {
      this.disarm(passed.code);
      const { code, limitMs, limitFrom, sinceMs } = passed;
      this.#onPassed({ code, limitMs, limitFrom, elapsedMs: nowMs - sinceMs });
    }
    for (const { sinceMs, limitMs } of this.#running) this.#schedule(sinceMs + limitMs);
  }
}
