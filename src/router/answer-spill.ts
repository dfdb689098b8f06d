// The part of an answer that its web server does not take while its worker would go on: on disk, so that the worker is free.
import { encodeRecordHeader, type RecordTaker } from '../fcgi-protocol/index.js';
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

interface Filled {
  memory: Buffer;
  /** Of the budget, and given back to it. */
  isBlock: boolean;
  filledBytes: number;
}

/**
 * First in, first out. What is not on disk yet is in memory as well, so that a disk that fails, or is full, loses nothing: what
 * comes then stays in memory, and who says it has to wait.
 */
export class AnswerSpill implements RecordTaker {
  readonly user: string;
  readonly #options: AnswerSpillOptions;
  readonly #file: SpoolFile;
  /** In order; blocks on their way to disk, one that is being filled, and what never goes there. */
  #pending: Filled[] = [];
  #pendingBytes = 0;
  /** So many of them, the first ones, are on their way. */
  #writingCount = 0;
  /** The last of them, not on its way yet. */
  #open: Filled | undefined;
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
      flushed: () => this.#flushed(),
      failed: () => {
        this.#writingCount = 0;
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

  /** What comes goes on to disk, and the disk keeps up. */
  get hasRoom(): boolean {
    return !this.#isSealed && this.#pendingBytes < LIMITS.answerSpillPendingMaxBytes;
  }

  /** Something is on its way to disk. */
  get isWriting(): boolean {
    return this.#writingCount > 0;
  }

  /** Nothing on disk waits to be read. */
  get isCaughtUp(): boolean {
    return this.#position === this.#file.flushedBytes;
  }

  header(type: number, id: number, contentLength: number): void {
    this.piece(encodeRecordHeader(type, id, contentLength));
  }

  /** Copies. */
  piece(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) {
      const open = this.#open ?? this.#openBlock();
      const count = bytes.copy(open.memory, open.filledBytes, at);
      open.filledBytes += count;
      at += count;
      this.#pendingBytes += count;
      if (open.filledBytes === open.memory.length) this.#closeBlock(open);
    }
  }

  /** Given away; it stays in memory, where it is a whole. So does all that comes after it. */
  add(part: Buffer): void {
    if (this.#open !== undefined) this.#closeBlock(this.#open);
    this.seal();
    this.#pending.push({ memory: part, isBlock: false, filledBytes: part.length });
    this.#pendingBytes += part.length;
  }

  /** To disk, if that has nothing to do: who stalls with little holds no block for it. */
  flush(): void {
    if (this.#open !== undefined && this.#writingCount === 0) this.#closeBlock(this.#open);
  }

  /**
   * What is not on its way to disk stays in memory, and so does all that comes. It may stay for as long as the client likes,
   * so it keeps no block of which it fills but a part, and which nobody would count.
   */
  seal(): void {
    this.#isSealed = true;
    if (this.#open?.isBlock === true) this.#open = undefined;
    for (const filled of this.#pending.slice(this.#writingCount)) {
      if (!filled.isBlock) continue;
      const { memory, filledBytes } = filled;
      filled.isBlock = false;
      filled.memory = Buffer.allocUnsafeSlow(filledBytes);
      memory.copy(filled.memory, 0, 0, filledBytes);
      this.#options.budget.giveBlock(memory);
    }
  }

  /** The next bytes on disk, of which there must be some. One read at a time. */
  read(done: SpillRead): void {
    this.#file.read(this.#position, LIMITS.spoolBlockBytes, (err, bytes) => {
      this.#position += bytes.length;
      done(err === null && bytes.length > 0 ? bytes : undefined);
    });
  }

  /** What came last and is in memory still, given away; nothing may be written after it. */
  takePending(): readonly Buffer[] {
    this.seal();
    const pending = this.#pending;
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#writingCount = 0;
    this.#open = undefined;
    // Whoever has them now may keep them, and the disk may be reading them.
    for (const { memory, isBlock } of pending) {
      if (isBlock) this.#options.budget.loseBlocks(memory.length);
    }
    return pending.map(({ memory, filledBytes }) => memory.subarray(0, filledBytes));
  }

  /** Once. A read that is under way comes back still. */
  close(): void {
    this.takePending();
    this.#options.budget.giveShare(this.user, this.#diskBytes);
    this.#file.close();
  }

  #openBlock(): Filled {
    const block = this.#isSealed ? undefined : this.#options.budget.takeAnswerBlock();
    if (block === undefined) this.seal();
    const memory = block ?? Buffer.allocUnsafeSlow(LIMITS.spoolBlockBytes);
    this.#open = { memory, isBlock: block !== undefined, filledBytes: 0 };
    this.#pending.push(this.#open);
    return this.#open;
  }

  /** To disk, if there is room. */
  #closeBlock(open: Filled): void {
    this.#open = undefined;
    if (this.#isSealed) return;
    const { budget } = this.#options;
    const isWithin = this.#diskBytes + open.filledBytes <= LIMITS.answerSpillMaxBytes;
    if (!isWithin || !budget.takeAnswerDisk(this.user, open.filledBytes)) {
      this.seal();
      return;
    }
    this.#diskBytes += open.filledBytes;
    this.#writingCount += 1;
    this.#file.append(open.memory, open.filledBytes);
  }

  #flushed(): void {
    const first = this.#pending.shift();
    if (first === undefined) return;
    this.#pendingBytes -= first.filledBytes;
    this.#writingCount -= 1;
    this.#options.budget.giveBlock(first.memory);
    this.flush();
    this.#options.onWritten();
  }
}
