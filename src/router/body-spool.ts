// The body of one request while it waits: first in memory, then in an unlinked file; written once, read as often as needed.
import { strict as assert } from 'node:assert';
import { UsherdError, type ErrorCode } from '../errors.js';
import { LIMITS } from '../limits.js';
import type { BodyRead, BodySource } from './body-source.js';
import type { SpoolBudget } from './spool-budget.js';
import { SpoolFile } from './spool-file.js';
import { SpoolReader } from './spool-reader.js';
import { SpoolWriter } from './spool-writer.js';

export interface BodySpoolOptions {
  /** Whose share it takes. */
  readonly user: string;
  /** Private to this process (openSpoolDirectory). */
  readonly directory: string;
  readonly budget: SpoolBudget;
  /** 0: no limit. */
  readonly maxBodyBytes: number;
  /** CONTENT_LENGTH where known: only a hint for how much to allocate. */
  readonly expectedBytes?: number;
  /** After write() returned false: go on. */
  onDrain(): void;
  /** Once, possibly inside write(): E_BODY_TOO_LARGE or E_SPOOL_FULL. Later bytes are dropped. */
  onFailed(err: UsherdError): void;
}

interface PendingRead {
  readonly maxBytes: number;
  readonly done: BodyRead;
}

const FIRST_BLOCK_BYTES = 4_096;

/** The body is in memory or in the file, never in both, so that a position means one place. */
export class BodySpool implements BodySource {
  /** It can be read as often as needed. */
  readonly isWhole = true;
  readonly #options: BodySpoolOptions;
  /** Memory form: `#usedBytes` of it hold the body. */
  #block: Buffer | undefined;
  #usedBytes = 0;
  #file: SpoolFile | undefined;
  #writer: SpoolWriter | undefined;
  #fileReader: SpoolReader | undefined;
  #diskBytes = 0;
  #length = 0;
  #position = 0;
  #reader: PendingRead | undefined;
  #isReading = false;
  #isEnded = false;
  #isPaused = false;
  #isReleased = false;
  #failure: UsherdError | undefined;

  constructor(options: BodySpoolOptions) {
    this.#options = options;
  }

  /** Bytes taken so far. */
  get length(): number {
    return this.#length;
  }

  get isAtEnd(): boolean {
    return this.#isEnded && this.#position === this.#length;
  }

  get isOnDisk(): boolean {
    return this.#file !== undefined;
  }

  /** Copies the bytes. False: pause until onDrain; bytes already read may still be written. */
  write(bytes: Buffer): boolean {
    if (this.#isReleased) return true;
    assert(!this.#isEnded, 'the body has ended');
    const { maxBodyBytes } = this.#options;
    if (maxBodyBytes > 0 && this.#length + bytes.length > maxBodyBytes) {
      this.#fail('E_BODY_TOO_LARGE', 'the body is over max_body');
      return true;
    }
    this.#length += bytes.length;
    if (this.#file === undefined && this.#reserve(bytes.length))
      this.#usedBytes += this.#copy(bytes);
    else this.#spool(bytes);
    this.#isPaused = this.#isFull;
    this.#serve();
    return !this.#isPaused;
  }

  /** The web server sent all of it. */
  end(): void {
    this.#isEnded = true;
    this.#writer?.end();
    this.#serve();
  }

  /**
   * The next bytes, at most maxBytes of them; one read at a time. Waits while there are none and the body has not ended.
   * A body in memory answers inside the call, with a view.
   */
  read(maxBytes: number, done: BodyRead): void {
    assert(this.#reader === undefined && !this.#isReading, 'one read at a time');
    this.#reader = { maxBytes, done };
    this.#serve();
  }

  /** The next read starts at the first byte again; a read under way is forgotten. */
  rewind(): void {
    this.#position = 0;
    this.#forgetRead();
  }

  release(): void {
    assert(this.#reader === undefined && !this.#isReading, 'no read is under way');
    this.#fileReader?.release();
    this.#fileReader = undefined;
  }

  /** Gives back memory, disk and descriptor, once; no callback comes after it. */
  dispose(): void {
    this.#forgetRead();
    this.#release();
  }

  #forgetRead(): void {
    this.#reader = undefined;
    this.#closeReader();
  }

  #closeReader(): void {
    this.#isReading = false;
    this.#fileReader?.close();
    this.#fileReader = undefined;
  }

  /** Room for so many more bytes in memory, if the body is small and the budget has it. */
  #reserve(bytes: number): boolean {
    const neededBytes = this.#usedBytes + bytes;
    const expectedBytes = this.#options.expectedBytes ?? 0;
    if (Math.max(neededBytes, expectedBytes) > LIMITS.bodyMemoryMaxBytes) return false;
    const heldBytes = this.#block?.length ?? 0;
    if (neededBytes <= heldBytes) return true;
    const grownBytes = Math.max(FIRST_BLOCK_BYTES, 2 ** Math.ceil(Math.log2(neededBytes)));
    const blockBytes = expectedBytes >= neededBytes ? expectedBytes : grownBytes;
    const { budget, user } = this.#options;
    if (!budget.takeMemory(user, blockBytes - heldBytes)) return false;
    const block = Buffer.alloc(blockBytes);
    this.#block?.copy(block, 0, 0, this.#usedBytes);
    this.#block = block;
    return true;
  }

  #copy(bytes: Buffer): number {
    return this.#block === undefined ? 0 : bytes.copy(this.#block, this.#usedBytes);
  }

  #spool(bytes: Buffer): void {
    if (this.#file === undefined && !this.#openFile()) return;
    if (!this.#takeDisk(bytes.length)) return;
    if (this.#writer?.write(bytes) === false)
      this.#fail('E_SPOOL_FULL', 'the disk does not keep up with the bodies');
  }

  /** What is in memory becomes the beginning of the file. */
  #openFile(): boolean {
    const { budget, directory, user } = this.#options;
    if (!budget.takeFile(user)) return this.#fail('E_SPOOL_FULL', 'too many spool files are open');
    const first = this.#block?.subarray(0, this.#usedBytes);
    budget.giveMemory(user, this.#block?.length ?? 0);
    this.#block = undefined;
    this.#usedBytes = 0;
    this.#file = new SpoolFile(directory, {
      flushed: (block) => this.#flushed(block),
      failed: (err) => this.#failFile('a file cannot be written', err),
      closed: () => this.#closed(),
    });
    this.#writer = new SpoolWriter(this.#file, budget);
    if (first !== undefined && first.length > 0) this.#spool(first);
    return !this.#isReleased;
  }

  #takeDisk(bytes: number): boolean {
    if (!this.#options.budget.takeDisk(this.#options.user, bytes)) {
      return this.#fail('E_SPOOL_FULL', 'the spool has no room for more of this user');
    }
    this.#diskBytes += bytes;
    return true;
  }

  get #isFull(): boolean {
    return !this.#isReleased && this.#writer?.isFull === true;
  }

  #flushed(block: Buffer): void {
    this.#writer?.flushed(block);
    this.#serve();
    if (this.#isPaused && !this.#isFull) {
      this.#isPaused = false;
      this.#options.onDrain();
    }
  }

  /** Answers the waiting read if there is something to say. */
  #serve(): void {
    const reader = this.#reader;
    if (reader === undefined) return;
    const readyBytes = (this.#file?.flushedBytes ?? this.#usedBytes) - this.#position;
    if (this.#failure !== undefined) this.#answer(this.#failure, null);
    else if (readyBytes > 0 && this.#file !== undefined)
      this.#readFile(this.#file, reader.maxBytes);
    else if (readyBytes > 0) this.#readMemory(Math.min(readyBytes, reader.maxBytes));
    else if (this.isAtEnd) this.#answer(null, null);
  }

  #readMemory(bytesCount: number): void {
    const start = this.#position;
    this.#position += bytesCount;
    this.#answer(null, this.#block?.subarray(start, start + bytesCount) ?? null);
  }

  #readFile(file: SpoolFile, maxBytes: number): void {
    if (this.#isReading) return;
    this.#isReading = true;
    this.#fileReader ??= new SpoolReader(file, this.#options.budget, this.#position);
    this.#fileReader.take(maxBytes, (err, bytes) => {
      this.#isReading = false;
      this.#position += bytes.length;
      if (err === null) this.#answer(null, bytes);
      else this.#failFile('a file cannot be read', err);
    });
  }

  #answer(err: UsherdError | null, bytes: Buffer | null): void {
    const done = this.#reader?.done;
    this.#reader = undefined;
    done?.(err, bytes);
  }

  /** The kernel's word tells a full disk from a directory that is gone. */
  #failFile(what: string, cause: NodeJS.ErrnoException): void {
    const detail = `${what} in ${this.#options.directory}: ${cause.code ?? cause.message}`;
    this.#fail('E_SPOOL_FULL', detail, cause);
  }

  /** Always false, for the callers that ask whether they may go on. */
  #fail(code: ErrorCode, detail: string, cause?: unknown): false {
    if (this.#isReleased) return false;
    this.#failure = new UsherdError(code, detail, cause === undefined ? {} : { cause });
    this.#release();
    this.#serve();
    this.#options.onFailed(this.#failure);
    return false;
  }

  /** Memory and the user's share are free at once; the rest when the last operation on the file has come back. */
  #release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    if (this.#file !== undefined) {
      this.#options.budget.giveShare(this.#options.user, this.#diskBytes);
      this.#closeReader();
      this.#writer?.stop();
      this.#file.close();
      return;
    }
    this.#options.budget.giveMemory(this.#options.user, this.#block?.length ?? 0);
    this.#block = undefined;
  }

  #closed(): void {
    const { budget, user } = this.#options;
    this.#writer?.loseBlocks();
    budget.giveDisk(this.#diskBytes);
    budget.giveFile(user);
  }
}
