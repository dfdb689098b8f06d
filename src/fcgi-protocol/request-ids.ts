// Request ids on the web server's side of one connection: always the smallest that is free.
import { NULL_REQUEST_ID } from './constants.js';

const REQUEST_ID_MAX = 0xffff;

/**
 * Gives out ids from 1 up to a bound. Small ids keep the application's tables small, as §3.3 asks.
 */
export class RequestIds {
  readonly #maxCount: number;
  readonly #open = new Set<number>();
  /** No id below it is free. */
  #lowest = NULL_REQUEST_ID + 1;

  constructor(maxCount: number) {
    this.#maxCount = Math.min(maxCount, REQUEST_ID_MAX);
  }

  get openCount(): number {
    return this.#open.size;
  }

  /** The smallest free id, or undefined when as many are open as may. */
  take(): number | undefined {
    if (this.#open.size >= this.#maxCount) return undefined;
    while (this.#open.has(this.#lowest)) this.#lowest += 1;
    this.#open.add(this.#lowest);
    return this.#lowest;
  }

  /** Frees an id; false if it was not open, so that a second end of a request is noticed. */
  release(id: number): boolean {
    if (!this.#open.delete(id)) return false;
    this.#lowest = Math.min(this.#lowest, id);
    return true;
  }
}
