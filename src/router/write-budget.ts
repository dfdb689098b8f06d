// What answers have of memory while they wait: over all front connections, for each of them, and the blocks that they lie in.
import { LIMITS } from '../limits.js';

export class WriteBudget {
  #bytes = 0;
  readonly #spareBlocks: Buffer[] = [];

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

  /** Bytes of other answers may be in it: only what was filled goes anywhere. */
  takeBlock(): Buffer {
    return this.#spareBlocks.pop() ?? Buffer.allocUnsafeSlow(LIMITS.frontBlockBytes);
  }

  /** Nobody reads or writes it any more. */
  giveBlock(block: Buffer): void {
    if (this.#spareBlocks.length < LIMITS.frontSpareBlocksMaxCount) this.#spareBlocks.push(block);
  }
}
