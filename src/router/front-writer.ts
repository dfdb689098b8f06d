// What waits in memory for one front connection: gathered during a turn, written at once if the web server reads.
import type net from 'node:net';
import { LIMITS } from '../limits.js';

/** Below this a copy is cheaper than one more element of writev(2). */
const JOIN_MAX_BYTES = 16 * 1024;

/**
 * The socket gets a few parts at a time and the next when these are written, so that there is room for more before all of it
 * has gone, and the worker does not wait for the web server and the web server for the worker in turn.
 */
export class FrontWriter {
  readonly #socket: net.Socket;
  readonly #onWritten: () => void;
  #parts: Buffer[] = [];
  /** The first of `#parts` that the socket has not got. */
  #next = 0;
  #partsBytes = 0;
  /** The socket holds parts that the web server has not taken. */
  #isWriting = false;

  /** `onWritten`: something that had to wait has been written. */
  constructor(socket: net.Socket, onWritten: () => void) {
    this.#socket = socket;
    this.#onWritten = onWritten;
  }

  /** Not taken by the web server yet. */
  get waitingBytes(): number {
    return this.#socket.destroyed ? 0 : this.#partsBytes + this.#socket.writableLength;
  }

  /** `part` must stay as it is until it is written: the caller gives it away. It is written as a whole. */
  add(part: Buffer): void {
    this.#parts.push(part);
    this.#partsBytes += part.length;
  }

  /** Write what was gathered in as few system calls as there are. */
  flush(): void {
    if (!this.#isWriting) this.#write();
  }

  #write(): void {
    while (this.#partsBytes > 0) {
      const parts = this.#take();
      if (!this.#socket.writable) continue;
      this.#hand(parts);
      this.#isWriting = this.#socket.writableLength > 0;
      if (this.#isWriting) return;
    }
  }

  /** At least one. */
  #take(): readonly Buffer[] {
    const all = this.#parts;
    const start = this.#next;
    let bytes = 0;
    let end = start;
    for (; end < all.length; end += 1) {
      const partBytes = all[end]?.length ?? 0;
      if (bytes > 0 && bytes + partBytes > LIMITS.frontWriteMaxBytes) break;
      bytes += partBytes;
    }
    this.#partsBytes -= bytes;
    if (end < all.length) {
      this.#next = end;
      return all.slice(start, end);
    }
    this.#parts = [];
    this.#next = 0;
    return start === 0 ? all : all.slice(start);
  }

  #hand(parts: readonly Buffer[]): void {
    const [first] = parts;
    if (first !== undefined && parts.length === 1) {
      this.#socket.write(first, this.#afterWrite);
      return;
    }
    let bytes = 0;
    for (const part of parts) bytes += part.length;
    if (bytes <= JOIN_MAX_BYTES) {
      this.#socket.write(Buffer.concat(parts, bytes), this.#afterWrite);
      return;
    }
    const last = parts.length - 1;
    this.#socket.cork();
    for (const [index, part] of parts.entries()) {
      if (index < last) this.#socket.write(part);
      else this.#socket.write(part, this.#afterWrite);
    }
    this.#socket.uncork();
  }

  /** Also called, later, for what was written at once. */
  readonly #afterWrite = (): void => {
    if (!this.#isWriting || this.#socket.writableLength > 0) return;
    this.#isWriting = false;
    this.#write();
    this.#onWritten();
  };
}
