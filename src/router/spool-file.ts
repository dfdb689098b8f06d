// One unlinked file: blocks appended in order, one write in flight, reads at any place. Knows no budget and no request.
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { join } from 'node:path';
import { countRead } from './read-garbage.js';

export interface SpoolFileEvents {
  /** A block is on disk: its bytes can be read, its memory is free. */
  flushed(block: Buffer): void;
  /** Once; nothing is written any more. */
  failed(err: Error): void;
  /** Once, after close(): the descriptor is gone, no operation is in flight. */
  closed(): void;
}

/** The first `bytesCount` of a block. */
interface Filled {
  readonly block: Buffer;
  readonly bytesCount: number;
}

type ReadDone = (err: Error | null, bytes: Buffer) => void;

export class SpoolFile {
  readonly #events: SpoolFileEvents;
  #fd = -1;
  #flushedBytes = 0;
  readonly #waiting: Filled[] = [];
  /** Operations whose callback is still to come; the descriptor stays open as long as there are any. */
  #inFlight = 0;
  #isNameless = false;
  #isWriting = false;
  #hasFailed = false;
  #isClosing = false;
  #isClosed = false;

  /** The directory belongs to this process alone; the name is gone before the first byte is written. */
  constructor(directory: string, events: SpoolFileEvents) {
    this.#events = events;
    const path = join(directory, `body-${randomBytes(16).toString('hex')}`);
    this.#inFlight += 1;
    fs.open(path, 'wx+', 0o600, (err, fd) => {
      if (err !== null) {
        this.#settle(err);
        return;
      }
      this.#fd = fd;
      fs.unlink(path, (unlinkErr) => {
        this.#isNameless = unlinkErr === null;
        this.#settle(unlinkErr);
      });
    });
  }

  get flushedBytes(): number {
    return this.#flushedBytes;
  }

  /** Takes the block over until `flushed` hands it back, or for good after `failed` or close(). */
  append(block: Buffer, bytesCount: number): void {
    if (this.#hasFailed || this.#isClosing) return;
    this.#waiting.push({ block, bytesCount });
    this.#next();
  }

  /** Fewer bytes than wanted only at the end of what is flushed. `bytes` belong to the callee. */
  read(position: number, bytesCount: number, done: ReadDone): void {
    const block = Buffer.alloc(Math.min(bytesCount, this.#flushedBytes - position));
    countRead(block.length);
    this.readInto(position, block, done);
  }

  /** The same into memory of the caller's; `bytes` are a view of it. */
  readInto(position: number, block: Buffer, done: ReadDone): void {
    const bytesCount = Math.min(block.length, this.#flushedBytes - position);
    this.#inFlight += 1;
    fs.read(this.#fd, block, 0, bytesCount, position, (err, count) => {
      done(err, block.subarray(0, err === null ? count : 0));
      this.#settle(null);
    });
  }

  close(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#waiting.length = 0;
    this.#finish();
  }

  #settle(err: Error | null): void {
    this.#inFlight -= 1;
    if (err !== null && !this.#hasFailed) {
      this.#hasFailed = true;
      this.#waiting.length = 0;
      if (!this.#isClosing) this.#events.failed(err);
    }
    this.#next();
    this.#finish();
  }

  #next(): void {
    const filled = this.#waiting[0];
    if (filled === undefined || !this.#isNameless || this.#isWriting) return;
    this.#waiting.shift();
    this.#isWriting = true;
    this.#inFlight += 1;
    this.#write(filled, 0);
  }

  /** A short write is not an error: the rest follows, and ENOSPC comes with it if it must. */
  #write(filled: Filled, offset: number): void {
    const { block, bytesCount } = filled;
    const position = this.#flushedBytes + offset;
    fs.write(this.#fd, block, offset, bytesCount - offset, position, (err, count) => {
      if (err === null && offset + count < bytesCount) {
        this.#write(filled, offset + count);
        return;
      }
      this.#isWriting = false;
      if (err === null) {
        this.#flushedBytes += bytesCount;
        if (!this.#isClosing) this.#events.flushed(block);
      }
      this.#settle(err);
    });
  }

  #finish(): void {
    if (!this.#isClosing || this.#isClosed || this.#inFlight > 0) return;
    this.#isClosed = true;
    if (this.#fd === -1) this.#events.closed();
    else fs.close(this.#fd, () => this.#events.closed());
  }
}
