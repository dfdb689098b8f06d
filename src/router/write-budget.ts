// What answers have of memory while they wait: over all front connections, and for each of them.
import { LIMITS } from '../limits.js';

export class WriteBudget {
  #bytes = 0;

  /** Bytes waiting in memory for web servers. */
  get bytes(): number {
    return this.#bytes;
  }

  add(delta: number): void {
    this.#bytes += delta;
  }

  /** How much one connection may have waiting before the workers that feed it are paused. */
  get perConnectionMaxBytes(): number {
    return this.#bytes < LIMITS.responseBufferTotalMaxBytes
      ? LIMITS.responseBufferMaxBytes
      : LIMITS.responseBufferShortMaxBytes;
  }
}
