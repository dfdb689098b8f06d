// The body of a request that is not read ahead: what the worker has not taken yet waits in memory, and then the web server does.
import { strict as assert } from 'node:assert';
import { UsherdError, type ErrorCode } from '../errors.js';
import { LIMITS } from '../limits.js';
import { UNKNOWN_LENGTH, type BodyRead, type BodySource } from './body-source.js';
import type { SpoolBudget } from './spool-budget.js';

export interface BodyStreamOptions {
  /** Whose share it takes. */
  readonly user: string;
  readonly budget: SpoolBudget;
  /** CONTENT_LENGTH; undefined where only the worker's protocol can do without. */
  readonly announcedBytes: number | undefined;
  /** Of a body without one; 0: no limit. */
  readonly maxBodyBytes: number;
  /** After write() returned false: go on. */
  onDrain(): void;
  /** Once, possibly inside write(): later bytes are dropped. */
  onFailed(err: UsherdError): void;
}

interface PendingRead {
  readonly maxBytes: number;
  readonly done: BodyRead;
}

export class BodyStream implements BodySource {
  readonly #options: BodyStreamOptions;
  readonly #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #receivedBytes = 0;
  #takenBytes = 0;
  #reader: PendingRead | undefined;
  #isEnded = false;
  #isPaused = false;
  #isDisposed = false;
  #failure: UsherdError | undefined;

  constructor(options: BodyStreamOptions) {
    this.#options = options;
  }

  /** As announced: the worker is told before all of it is here. */
  get length(): number {
    return this.#options.announcedBytes ?? UNKNOWN_LENGTH;
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** Nothing of it is gone, so that another worker can have it. */
  get isWhole(): boolean {
    return this.#takenBytes === 0;
  }

  get isAtEnd(): boolean {
    return this.#isEnded && this.#waiting.length === 0;
  }

  /** Copies the bytes. False: pause until onDrain. One record may still come, whose size is bounded. */
  write(bytes: Buffer): boolean {
    if (this.#isDisposed || this.#failure !== undefined) return true;
    this.#receivedBytes += bytes.length;
    const { announcedBytes, budget, maxBodyBytes, user } = this.#options;
    if (this.#receivedBytes > (announcedBytes ?? Infinity)) {
      return this.#fail('E_BODY_MISMATCH', `more than ${announcedBytes} bytes`);
    }
    if (maxBodyBytes > 0 && this.#receivedBytes > maxBodyBytes) {
      return this.#fail('E_BODY_TOO_LARGE', 'the body is over max_body');
    }
    if (!budget.takeMemory(user, bytes.length)) {
      return this.#fail('E_SPOOL_FULL', 'no memory is left for bodies');
    }
    this.#waiting.push(Buffer.from(bytes));
    this.#waitingBytes += bytes.length;
    this.#serve();
    this.#isPaused = this.#waitingBytes >= LIMITS.bodyMemoryMaxBytes;
    return !this.#isPaused;
  }

  end(): void {
    this.#isEnded = true;
    this.#serve();
  }

  read(maxBytes: number, done: BodyRead): void {
    assert(this.#reader === undefined, 'one read at a time');
    this.#reader = { maxBytes, done };
    this.#serve();
  }

  release(): void {
    // what was read is the reader's
  }

  /** Only while it is whole. */
  rewind(): void {
    assert(this.isWhole, 'a part of the body is gone');
    this.#reader = undefined;
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#reader = undefined;
    this.#drop();
  }

  /** A read that is answered may ask for the next one before this returns. */
  #serve(): void {
    const { first, reader } = { first: this.#waiting[0], reader: this.#reader };
    if (reader === undefined) return;
    if (this.#failure !== undefined) {
      this.#answer(reader, this.#failure, null);
    } else if (first !== undefined) {
      const taken = first.subarray(0, reader.maxBytes);
      if (taken.length === first.length) this.#waiting.shift();
      else this.#waiting[0] = first.subarray(taken.length);
      this.#give(taken.length);
      this.#takenBytes += taken.length;
      this.#answer(reader, null, taken);
    } else if (this.#isEnded) {
      this.#answer(reader, null, null);
    }
  }

  #answer({ done }: PendingRead, err: UsherdError | null, bytes: Buffer | null): void {
    this.#reader = undefined;
    done(err, bytes);
  }

  #give(bytes: number): void {
    this.#options.budget.giveMemory(this.#options.user, bytes);
    this.#waitingBytes -= bytes;
    if (!this.#isPaused || this.#waitingBytes >= LIMITS.bodyMemoryMaxBytes) return;
    this.#isPaused = false;
    this.#options.onDrain();
  }

  #drop(): void {
    this.#waiting.length = 0;
    this.#options.budget.giveMemory(this.#options.user, this.#waitingBytes);
    this.#waitingBytes = 0;
  }

  /** Always true: what still comes is dropped, and nobody waits for it. */
  #fail(code: ErrorCode, detail: string): true {
    this.#failure = new UsherdError(code, detail);
    this.#drop();
    this.#serve();
    this.#options.onFailed(this.#failure);
    return true;
  }
}
