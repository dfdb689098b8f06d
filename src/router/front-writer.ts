// What waits in memory for one front connection: copied into blocks that are used again, and written at once if the web server reads.
import type net from 'node:net';
import { encodeRecordHeader, type RecordTaker } from '../fcgi-protocol/index.js';
import { LIMITS } from '../limits.js';
import type { WriteBudget } from './write-budget.js';

interface Segment {
  readonly memory: Buffer;
  /** Of the budget, and given back to it. */
  readonly isBlock: boolean;
  filledBytes: number;
  /** Given to the socket, which may not have written them yet. */
  handedBytes: number;
}

/**
 * The socket gets a few blocks at a time and the next when these are written, so that there is room for more before all of it
 * has gone, and the worker does not wait for the web server and the web server for the worker in turn.
 */
export class FrontWriter implements RecordTaker {
  readonly #socket: net.Socket;
  readonly #budget: WriteBudget;
  readonly #onWritten: () => void;
  #segments: Segment[] = [];
  #unhandedBytes = 0;
  /** The socket holds bytes that the web server has not taken. */
  #isWriting = false;

  /** `onWritten`: something that had to wait has been written. */
  constructor(socket: net.Socket, budget: WriteBudget, onWritten: () => void) {
    this.#socket = socket;
    this.#budget = budget;
    this.#onWritten = onWritten;
  }

  /** Not taken by the web server yet. */
  get waitingBytes(): number {
    return this.#socket.destroyed ? 0 : this.#unhandedBytes + this.#socket.writableLength;
  }

  /** Given away: it stays as it is until it is written, which it is as a whole. */
  add(part: Buffer): void {
    const filledBytes = part.length;
    this.#segments.push({ memory: part, isBlock: false, filledBytes, handedBytes: 0 });
    this.#unhandedBytes += filledBytes;
  }

  header(type: number, id: number, contentLength: number): void {
    this.piece(encodeRecordHeader(type, id, contentLength));
  }

  /** Copies. */
  piece(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) {
      const segment = this.#openBlock();
      const count = bytes.copy(segment.memory, segment.filledBytes, at);
      segment.filledBytes += count;
      this.#unhandedBytes += count;
      at += count;
    }
  }

  /** Write what was gathered in as few system calls as there are. */
  flush(): void {
    if (!this.#isWriting) this.#write();
  }

  /** What the socket has not got goes there instead. */
  moveTo(to: Pick<RecordTaker, 'piece'>): void {
    const kept: Segment[] = [];
    for (const segment of this.#segments) {
      const { memory, isBlock, handedBytes, filledBytes } = segment;
      to.piece(memory.subarray(handedBytes, filledBytes));
      segment.filledBytes = handedBytes;
      if (handedBytes > 0) kept.push(segment);
      else if (isBlock) this.#budget.giveBlock(memory);
    }
    this.#segments = kept;
    this.#unhandedBytes = 0;
  }

  /** The connection is gone. */
  close(): void {
    // The socket may hold what it was given last for a moment still, so no block of it is used again.
    this.#segments = [];
    this.#unhandedBytes = 0;
  }

  /** The last, if there is room in it. */
  #openBlock(): Segment {
    const last = this.#segments[this.#segments.length - 1];
    if (last?.isBlock === true && last.filledBytes < last.memory.length) return last;
    const memory = this.#budget.takeBlock();
    const segment = { memory, isBlock: true, filledBytes: 0, handedBytes: 0 };
    this.#segments.push(segment);
    return segment;
  }

  #write(): void {
    while (this.#unhandedBytes > 0 && this.#socket.writable) {
      this.#hand();
      this.#isWriting = this.#socket.writableLength > 0;
      if (this.#isWriting) return;
      this.#release();
    }
  }

  #hand(): void {
    const views: Buffer[] = [];
    let bytes = 0;
    for (const segment of this.#segments) {
      const { memory, handedBytes, filledBytes } = segment;
      const count = filledBytes - handedBytes;
      if (bytes > 0 && bytes + count > LIMITS.frontWriteMaxBytes) break;
      views.push(count === memory.length ? memory : memory.subarray(handedBytes, filledBytes));
      segment.handedBytes = filledBytes;
      bytes += count;
    }
    this.#unhandedBytes -= bytes;
    const [first] = views;
    if (first !== undefined && views.length === 1) {
      this.#socket.write(first, this.#afterWrite);
    } else if (bytes <= LIMITS.frontJoinMaxBytes) {
      this.#socket.write(Buffer.concat(views, bytes), this.#afterWrite);
    } else {
      const last = views.pop();
      this.#socket.cork();
      for (const view of views) this.#socket.write(view);
      this.#socket.write(last ?? '', this.#afterWrite);
      this.#socket.uncork();
    }
  }

  /** What was handed is written. */
  #release(): void {
    const segments = this.#segments;
    let count = 0;
    for (const { memory, isBlock, filledBytes, handedBytes } of segments) {
      if (handedBytes < filledBytes) break;
      if (isBlock) this.#budget.giveBlock(memory);
      count += 1;
    }
    if (count === segments.length) segments.length = 0;
    else segments.splice(0, count);
  }

  /** Also called, later, for what was written at once. */
  readonly #afterWrite = (): void => {
    if (!this.#isWriting || this.#socket.writableLength > 0) return;
    this.#isWriting = false;
    this.#release();
    this.#write();
    this.#onWritten();
  };
}
