// A rate with a burst, on a clock that the caller reads; pure.

export interface Rate {
  /** Tokens that can be saved up. */
  readonly maxCount: number;
  readonly perS: number;
}

export class TokenBucket {
  readonly #rate: Rate;
  #tokens: number;
  #countedAtMs: number;

  constructor(rate: Rate, nowMs: number) {
    this.#rate = rate;
    this.#tokens = rate.maxCount;
    this.#countedAtMs = nowMs;
  }

  /** Milliseconds until there is a token; 0 if there is one now. */
  waitMs(nowMs: number): number {
    this.#refill(nowMs);
    return this.#tokens >= 1 ? 0 : Math.ceil(((1 - this.#tokens) * 1000) / this.#rate.perS);
  }

  /** False, and nothing taken, if there is none. */
  take(nowMs: number): boolean {
    if (this.waitMs(nowMs) > 0) return false;
    this.#tokens -= 1;
    return true;
  }

  /** A token comes back; beyond the burst it is lost. */
  give(nowMs: number): void {
    this.#refill(nowMs);
    this.#tokens = Math.min(this.#rate.maxCount, this.#tokens + 1);
  }

  /** A full bucket remembers nothing and can be forgotten. */
  isFull(nowMs: number): boolean {
    this.#refill(nowMs);
    return this.#tokens >= this.#rate.maxCount;
  }

  #refill(nowMs: number): void {
    const elapsedMs = Math.max(0, nowMs - this.#countedAtMs);
    this.#countedAtMs = nowMs;
    const earned = (elapsedMs * this.#rate.perS) / 1000;
    this.#tokens = Math.min(this.#rate.maxCount, this.#tokens + earned);
  }
}
