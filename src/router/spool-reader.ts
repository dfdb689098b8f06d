// A spool file read from front to back, one block ahead of who reads. The blocks are used again, or else are garbage.
import { LIMITS } from '../limits.js';
import { countRead } from './read-garbage.js';
import type { SpoolBudget } from './spool-budget.js';
import type { SpoolFile } from './spool-file.js';

type Taken = (err: Error | null, bytes: Buffer) => void;

interface PendingTake {
  readonly maxBytes: number;
  readonly done: Taken;
}

interface Filled {
  readonly block: Buffer;
  /** A view of it. */
  readonly bytes: Buffer;
}

const EMPTY = Buffer.alloc(0);
const isLarge = (block: Buffer): boolean => block.length === LIMITS.spoolLargeBlockBytes;

export class SpoolReader {
  readonly #file: SpoolFile;
  readonly #budget: SpoolBudget;
  /** Up to here the file is in blocks, or was. */
  #position: number;
  /** What is taken are views of it. */
  #lent: Buffer | undefined;
  /** Of the lent block, not taken yet. */
  #left: Buffer = EMPTY;
  #ahead: Filled | undefined;
  #isFilling = false;
  #spare: Buffer | undefined;
  #take: PendingTake | undefined;
  #failure: Error | undefined;
  #isClosed = false;

  constructor(file: SpoolFile, budget: SpoolBudget, position: number) {
    this.#file = file;
    this.#budget = budget;
    this.#position = position;
  }

  /**
   * The next bytes, at most maxBytes of them; one at a time, and only where something is flushed. They are valid until the
   * next take, which may be answered inside the call.
   */
  take(maxBytes: number, done: Taken): void {
    this.#take = { maxBytes, done };
    this.#serve();
  }

  /** No callback comes after it. The lent block may be on its way to a worker: it is never filled again. */
  close(): void {
    this.#isClosed = true;
    this.#take = undefined;
    this.#lose(this.#lent);
    this.#giveBack(this.#spare);
    this.#giveBack(this.#ahead?.block);
  }

  /** As `close`, and what was taken is not used any more. */
  release(): void {
    if (this.#lent !== undefined && isLarge(this.#lent)) {
      this.#giveBack(this.#lent);
      this.#lent = undefined;
    }
    this.close();
  }

  #serve(): void {
    const take = this.#take;
    if (take === undefined) return;
    if (this.#left.length === 0) this.#turnOver();
    const bytes = this.#left.subarray(0, take.maxBytes);
    this.#left = this.#left.subarray(bytes.length);
    this.#fill();
    if (bytes.length === 0 && this.#failure === undefined) return;
    this.#take = undefined;
    take.done(bytes.length > 0 ? null : (this.#failure ?? null), bytes);
  }

  /** All of the lent block was taken, and who asks for more is done with it. */
  #turnOver(): void {
    const free = this.#lent;
    if (this.#spare === undefined) this.#spare = free;
    else this.#giveBack(free);
    this.#lent = this.#ahead?.block;
    this.#left = this.#ahead?.bytes ?? EMPTY;
    this.#ahead = undefined;
  }

  #fill(): void {
    const isNeeded = !this.#isFilling && this.#ahead === undefined && this.#failure === undefined;
    if (!isNeeded || this.#position === this.#file.flushedBytes) return;
    const block = this.#takeBlock();
    if (block === undefined) return;
    this.#isFilling = true;
    this.#file.readInto(
      this.#position,
      block.subarray(0, LIMITS.bodyReadMaxBytes),
      (err, bytes) => {
        this.#isFilling = false;
        if (this.#isClosed) {
          this.#giveBack(block);
          return;
        }
        this.#position += bytes.length;
        if (bytes.length > 0) this.#ahead = { block, bytes };
        else this.#fail(block, err);
        this.#serve();
      },
    );
  }

  #fail(block: Buffer, err: Error | null): void {
    this.#giveBack(block);
    this.#failure = err ?? new Error('the file is shorter than what was written to it');
  }

  /** Where large blocks are short, nothing is read ahead, and small ones are nobody else's. */
  #takeBlock(): Buffer | undefined {
    const spare = this.#spare;
    this.#spare = undefined;
    if (spare !== undefined) return spare;
    if (this.#lent !== undefined && !isLarge(this.#lent)) return undefined;
    const large = this.#budget.takeLargeBlock();
    if (large !== undefined || this.#lent !== undefined) return large;
    return Buffer.alloc(LIMITS.spoolBlockBytes);
  }

  #lose(block: Buffer | undefined): void {
    if (block === undefined) return;
    countRead(block.length);
    if (isLarge(block)) this.#budget.loseBlocks(block.length);
  }

  #giveBack(block: Buffer | undefined): void {
    if (block !== undefined && isLarge(block)) this.#budget.giveBlock(block);
  }
}
