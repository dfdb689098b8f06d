// A spool file written in whole blocks: what comes in pieces is gathered first, unless that would keep memory from others.
import { LIMITS } from '../limits.js';
import type { SpoolBudget } from './spool-budget.js';
import type { SpoolFile } from './spool-file.js';

export class SpoolWriter {
  readonly #file: SpoolFile;
  readonly #budget: SpoolBudget;
  /** Being filled. */
  #block: Buffer | undefined;
  #usedBytes = 0;
  #blocksInFlight = 0;
  /** Of all blocks that were taken and not given back. */
  #pendingBytes = 0;
  /** Large blocks are short: the last one was small, and does not wait to become full. */
  #isShort = false;
  #flushTimer: NodeJS.Timeout | undefined;

  constructor(file: SpoolFile, budget: SpoolBudget) {
    this.#file = file;
    this.#budget = budget;
  }

  /** The disk is kept busy, and more would only use memory. */
  get isFull(): boolean {
    return this.#blocksInFlight >= (this.#isShort ? 1 : 2);
  }

  /** Copies the bytes. False: there is no block for them. */
  write(bytes: Buffer): boolean {
    for (let offset = 0; offset < bytes.length;) {
      const block = this.#block ?? this.#openBlock();
      if (block === undefined) return false;
      const count = bytes.copy(block, this.#usedBytes, offset);
      offset += count;
      this.#usedBytes += count;
      if (this.#usedBytes === block.length) this.#flush();
    }
    this.#flushIfDue();
    return true;
  }

  /** Nothing follows. */
  end(): void {
    this.#flush();
  }

  /** The file has given this block back. */
  flushed(block: Buffer): void {
    this.#blocksInFlight -= 1;
    this.#pendingBytes -= block.length;
    this.#budget.giveBlock(block);
    this.#flushIfDue();
  }

  /** Nothing is written any more; blocks may still be on their way. */
  stop(): void {
    clearTimeout(this.#flushTimer);
  }

  /** Once, when the file is closed. */
  loseBlocks(): void {
    this.#budget.loseBlocks(this.#pendingBytes);
  }

  #openBlock(): Buffer | undefined {
    if (this.#pendingBytes >= LIMITS.spoolPendingMaxBytes) return undefined;
    const block = this.#budget.takeBlock();
    if (block === undefined) return undefined;
    this.#block = block;
    this.#pendingBytes += block.length;
    this.#isShort = block.length < LIMITS.spoolLargeBlockBytes;
    // The timer of an earlier block serves: this one leaves too early rather than that each has a timer of its own.
    this.#flushTimer ??= setTimeout(() => this.#flushLate(), LIMITS.spoolFlushMs);
    return block;
  }

  /** A slow client's: it gets no block for itself while nothing comes. */
  #flushLate(): void {
    this.#flushTimer = undefined;
    this.#flush();
  }

  #flushIfDue(): void {
    if (this.#isShort && this.#blocksInFlight === 0) this.#flush();
  }

  #flush(): void {
    if (this.#block === undefined) return;
    this.#file.append(this.#block, this.#usedBytes);
    this.#blocksInFlight += 1;
    this.#block = undefined;
    this.#usedBytes = 0;
  }
}
