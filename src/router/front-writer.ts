// What leaves on one front connection: gathered during a turn, written at once, counted while the web server does not read.
import type net from 'node:net';
import { LIMITS } from '../limits.js';

/** Bytes waiting for web servers, over all front connections. */
export class WriteBudget {
  #bytes = 0;

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

/** Below this a copy is cheaper than one more element of writev(2). */
const JOIN_MAX_BYTES = 64 * 1024;

export class FrontWriter {
  readonly #socket: net.Socket;
  readonly #budget: WriteBudget;
  #parts: Buffer[] = [];
  #partsBytes = 0;
  #countedBytes = 0;

  constructor(socket: net.Socket, budget: WriteBudget) {
    this.#socket = socket;
    this.#budget = budget;
  }

  /** `part` must stay as it is until it is written: the caller gives it away. */
  add(part: Buffer): void {
    this.#parts.push(part);
    this.#partsBytes += part.length;
  }

  /** Write what was gathered in as few system calls as there are. */
  flush(): void {
    const parts = this.#parts;
    if (parts.length === 0) return;
    this.#parts = [];
    const bytes = this.#partsBytes;
    this.#partsBytes = 0;
    if (!this.#socket.writable) return;
    const [first] = parts;
    if (first !== undefined && parts.length === 1) {
      this.#socket.write(first);
    } else if (bytes <= JOIN_MAX_BYTES) {
      this.#socket.write(Buffer.concat(parts, bytes));
    } else {
      this.#socket.cork();
      for (const part of parts) this.#socket.write(part);
      this.#socket.uncork();
    }
    this.count();
  }

  /** Bring the budget up to date; called after every write, drain and close. */
  count(): void {
    const waiting = this.#socket.destroyed ? 0 : this.#socket.writableLength;
    this.#budget.add(waiting - this.#countedBytes);
    this.#countedBytes = waiting;
  }

  get isCongested(): boolean {
    return this.#countedBytes > this.#budget.perConnectionMaxBytes;
  }
}
