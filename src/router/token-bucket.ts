// How much of something may happen: a burst, refilled at a steady rate. Pure: the caller says what time it is.

export interface Rate {
  readonly perS: number;
  readonly burst: number;
}

export class TokenBucket {
  readonly #rate: Rate;
  #tokens: number;
  #filledAtMs: number;

  constructor(rate: Rate, nowMs: number) {
    this.#rate = rate;
    this.#tokens = rate.burst;
    this.#filledAtMs = nowMs;
  }

  /** All or nothing. A clock that goes backwards refills nothing. */
  take(count: number, nowMs: number): boolean {
    const passedMs = Math.max(0, nowMs - this.#filledAtMs);
    this.#filledAtMs = nowMs;
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + (passedMs * this.#rate.perS) / 1000);
    if (count > this.#tokens) return false;
    this.#tokens -= count;
    return true;
  }
}
