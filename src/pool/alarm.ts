// One timer that looks again: it rings no later than asked for, and whoever is called sees for itself whether it is time.
import type { Clock } from './clock.js';

export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #timer: unknown = undefined;
  #atMs = Infinity;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** An earlier ring stays as it is, so that a stream of later and later deadlines costs no timer each. Infinity is never. */
  arm(atMs: number): void {
    if (atMs === Infinity) return;
    if (this.#timer !== undefined && this.#atMs <= atMs) return;
    this.disarm();
    this.#atMs = atMs;
    this.#timer = this.#clock.schedule(Math.max(0, atMs - this.#clock.now()), () => {
      this.#timer = undefined;
      this.#ring();
    });
  }

  disarm(): void {
    if (this.#timer !== undefined) this.#clock.cancel(this.#timer);
    this.#timer = undefined;
  }
}
