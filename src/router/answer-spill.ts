// The part of an answer that its web server does not take while its worker would go on: on disk, so that the worker is free.
import { LIMITS } from '../limits.js';
import type { SpoolBudget } from './spool-budget.js';
import { SpoolFile } from './spool-file.js';

export interface AnswerSpillOptions {
  readonly user: string;
  /** Private to this process (openSpoolDirectory). */
  readonly directory: string;
  readonly budget: SpoolBudget;
  /** Something that was in memory is on disk now, or will never be. */
  onWritten(): void;
}

/** Undefined bytes: they cannot be read. */
type SpillRead = (bytes: Buffer | undefined) => void;

/**
 * First in, first out. What is not on disk yet is in memory as well, so that a disk that fails, or is full, loses nothing: what
 * comes then stays in memory, and who says it has to wait.
 */
export class AnswerSpill {
  readonly user: string;
  readonly #options: AnswerSpillOptions;
  readonly #file: SpoolFile;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  /** Taken from the budget. */
  #diskBytes = 0;
  #position = 0;
  #isSealed = false;

  /** Undefined if there are enough of them, of this user or in all. */
  static open(options: AnswerSpillOptions): AnswerSpill | undefined {
    return options.budget.takeAnswerFile(options.user) ? new AnswerSpill(options) : undefined;
  }

  private constructor(options: AnswerSpillOptions) {
    this.user = options.user;
    this.#options = options;
    this.#file = new SpoolFile(options.directory, {
      flushed: (bytes) => {
        this.#pending.shift();
        this.#pendingBytes -= bytes.length;
        options.onWritten();
      },
      failed: () => {
        this.seal();
        options.onWritten();
      },
      closed: () => {
        options.budget.giveDisk(this.#diskBytes);
        options.budget.giveAnswerFile(options.user);
      },
    });
  }

  /** In memory, not on disk yet. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Takes more without more memory. */
  get hasRoom(): boolean {
    return !this.#isSealed && this.#pendingBytes < LIMITS.answerSpillPendingMaxBytes;
  }

  /** Nothing on disk waits to be read. */
  get isCaughtUp(): boolean {
    return this.#position === this.#file.flushedBytes;
  }

  /** Given away. */
  write(bytes: Buffer): void {
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    if (this.#isSealed) return;
    const { budget, user } = this.#options;
    const isWithin = this.#diskBytes + bytes.length <= LIMITS.answerSpillMaxBytes;
    if (!isWithin || !budget.takeAnswerDisk(user, bytes.length)) {
      this.seal();
      return;
    }
    this.#diskBytes += bytes.length;
    this.#file.append(bytes, bytes.length);
  }

  /** What is written from now on stays in memory. */
  seal(): void {
    this.#isSealed = true;
  }

  /** The next bytes on disk, of which there must be some. One read at a time. */
  read(done: SpillRead): void {
    this.#file.read(this.#position, LIMITS.spoolBlockBytes, (err, bytes) => {
      this.#position += bytes.length;
      done(err === null && bytes.length > 0 ? bytes : undefined);
    });
  }

  /** What came last and is in memory still; nothing may be written after it. */
  takePending(): readonly Buffer[] {
    this.seal();
    const pending = this.#pending;
    this.#pending = [];
    this.#pendingBytes = 0;
    return pending;
  }

  /** Once. A read that is under way comes back still. */
  close(): void {
    this.takePending();
    this.#options.budget.giveShare(this.user, this.#diskBytes);
    this.#file.close();
  }
}
