// The one timer of all deadlines of requests and of their answers: it rings for the nearest and looks at all of them, which is rare, so that a deadline
// that nothing misses costs no timer.
import { LIMITS } from '../limits.js';
import type { Clock } from '../pool/index.js';

/** Something with deadlines, among others of its kind. */
export interface Watched {
  /** Its place among those that are watched; written by the watch only. */
  place: number;
  /** When its next deadline passes; Infinity if it has none. */
  nearestMs(): number;
  /** Told when that time has come; may begin and end whatever it likes. */
  ring(nowMs: number): void;
}

/** Of what is not watched. */
export const UNWATCHED = -1;

export class DeadlineWatch {
  readonly #clock: Clock;
  /** In no order; what leaves is replaced by the last. */
  readonly #watched: Watched[] = [];
  #timer: unknown;
  #timerAtMs = Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get watchedCount(): number {
    return this.#watched.length;
  }

  now(): number {
    return this.#clock.now();
  }

  /** Something has a deadline then. A timer that rings too early is left alone: looking is cheaper than setting another. */
  expect(watched: Watched, atMs: number): void {
    if (watched.place === UNWATCHED) watched.place = this.#watched.push(watched) - 1;
    if (atMs < this.#timerAtMs) this.#setTimer(atMs);
  }

  /** It has no deadline any more. */
  forget(watched: Watched): void {
    const { place } = watched;
    if (place === UNWATCHED) return;
    watched.place = UNWATCHED;
    const last = this.#watched.pop();
    if (last === undefined || last === watched) return;
    this.#watched[place] = last;
    last.place = place;
  }

  #setTimer(atMs: number): void {
    if (this.#timer !== undefined) this.#clock.cancel(this.#timer);
    this.#timerAtMs = atMs;
    // Rounded up, because a timer of setTimeout(3) may ring a fraction of a millisecond early.
    const delayMs = Math.max(0, Math.ceil(atMs - this.#clock.now()));
    this.#timer = this.#clock.schedule(delayMs, () => this.#ring());
  }

  /** From the end, because what leaves meanwhile is replaced by one that was looked at. */
  #ring(): void {
    this.#timer = undefined;
    this.#timerAtMs = Infinity;
    const nowMs = this.#clock.now();
    for (let place = this.#watched.length - 1; place >= 0; place -= 1) {
      const watched = this.#watched[place];
      if (watched !== undefined && watched.nearestMs() <= nowMs) watched.ring(nowMs);
    }
    let nearestMs = Infinity;
    for (const watched of this.#watched) nearestMs = Math.min(nearestMs, watched.nearestMs());
    // Many that follow each other closely are looked at together.
    if (nearestMs < Infinity) this.#setTimer(Math.max(nearestMs, nowMs + LIMITS.deadlineLookMs));
  }
}
