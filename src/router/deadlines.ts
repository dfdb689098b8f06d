// The deadlines that a request is under: several at once, watched together with those of all other requests.
import type { ErrorCode } from '../errors.js';
import { UNWATCHED, type DeadlineWatch, type Watched } from './deadline-watch.js';

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

/** Told of a deadline that has passed; it is disarmed already. */
export interface DeadlineOwner {
  onDeadline(passed: Passed): void;
}

export class Deadlines implements Watched {
  place = UNWATCHED;
  readonly #watch: DeadlineWatch;
  readonly #owner: DeadlineOwner;
  /** In no order, few. */
  readonly #running: Running[] = [];

  constructor(watch: DeadlineWatch, owner: DeadlineOwner) {
    this.#watch = watch;
    this.#owner = owner;
  }

  arm(code: ErrorCode, term: Term): void {
    const { limitMs, limitFrom = 'built-in', sinceMs = this.#watch.now() } = term;
    this.disarm(code);
    this.#running.push({ code, limitMs, limitFrom, sinceMs });
    this.#watch.expect(this, sinceMs + limitMs);
  }

  /** It counts from now on: what it waits for goes on. */
  restart(code: ErrorCode): void {
    for (const one of this.#running) if (one.code === code) one.sinceMs = this.#watch.now();
  }

  disarm(code: ErrorCode): void {
    const running = this.#running;
    for (let at = 0; at < running.length; at += 1) {
      if (running[at]?.code !== code) continue;
      const last = running.pop();
      if (last !== undefined && at < running.length) running[at] = last;
      return;
    }
  }

  /** Those of a request's time at one worker. */
  disarmLeg(): void {
    this.disarm('E_START_TIMEOUT');
    this.disarm('E_FIRST_BYTE_TIMEOUT');
    this.disarm('E_SILENCE_TIMEOUT');
    this.disarm('E_REQUEST_TIMEOUT');
  }

  disarmAll(): void {
    while (this.#running.length > 0) this.#running.pop();
    this.#watch.forget(this);
  }

  nearestMs(): number {
    let nearestMs = Infinity;
    for (const { sinceMs, limitMs } of this.#running) {
      nearestMs = Math.min(nearestMs, sinceMs + limitMs);
    }
    return nearestMs;
  }

  ring(nowMs: number): void {
    const passed = this.#running.find(({ sinceMs, limitMs }) => sinceMs + limitMs <= nowMs);
    if (passed === undefined) return;
    this.disarm(passed.code);
    const { code, limitMs, limitFrom, sinceMs } = passed;
    this.#owner.onDeadline({ code, limitMs, limitFrom, elapsedMs: nowMs - sinceMs });
  }
}
