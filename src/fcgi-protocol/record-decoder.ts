// Bytes in, records out: cuts a connection's bytes into records, however they were chunked.
// It knows framing only. Which types and request ids are allowed is the connection's business.
import { Buffer } from 'node:buffer';

import { UsherdError } from '../errors.js';
import { LIMITS } from '../limits.js';
import { VERSION } from './constants.js';

const HEADER_BYTES = LIMITS.recordHeaderBytes;
const CARRY_MIN_BYTES = 512;
const CARRY_GROWTH = 4;
const EMPTY = Buffer.alloc(0);

/** Called once per record, when its content is complete; its padding may still be on the way. */
export interface RecordSink {
  /**
   * `content` is a view into the chunk, or a carry buffer that the decoder has given up. The
   * decoder never writes to it again, so it may be passed on without a copy; it stays valid as long
   * as the chunk does.
   */
  record(type: number, requestId: number, content: Buffer): void;
}

/*
 * A chunk is cut like this. Only the last, straddling record is copied, and of that only what came:
 *
 *      chunk  |padding|header|content|padding|header|content|padding|header|cont
 *             `skip --'       `------ views -------'                `- #header, #carry
 *
 * Content that begins at a chunk's border is not copied either, if that chunk has all of it.
 */

/** Decodes records from chunks of any size; holds less than one record. */
export class RecordDecoder {
  readonly #sink: RecordSink;
  #state: 'idle' | 'decoding' | 'dead' = 'idle';
  /** The header of the straddling record; never handed out. */
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerBytes = 0;
  /** The content of the straddling record; given away with the record. */
  #carry = EMPTY;
  #carryBytes = 0;
  /** Padding of the last record that has not come yet. */
  #skipBytes = 0;

  constructor(sink: RecordSink) {
    this.#sink = sink;
  }

  /**
   * Decodes one chunk. What the sink throws passes through. Whoever threw, the decoder is dead
   * afterwards: it holds nothing and ignores further chunks, as after `stop()`.
   *
   * @throws UsherdError E_FCGI_VERSION, at the first wrong byte and after all records before it
   */
  push(chunk: Buffer): void {
    if (this.#state === 'dead') return;
    if (this.#state === 'decoding') throw new Error('push() was called from inside a record sink');
    this.#state = 'decoding';
    try {
      this.#decode(chunk);
    } catch (err) {
      this.stop();
      throw err;
    }
    if (this.#isDecoding()) this.#state = 'idle';
  }

  /** Ends decoding for good; from inside the sink too, where the rest of the chunk is dropped. */
  stop(): void {
    this.#state = 'dead';
    this.#headerBytes = 0;
    this.#dropCarry();
  }

  /** Bytes held of an incomplete record; 0 exactly if the stream may end here without loss. */
  get pendingBytes(): number {
    return this.#headerBytes + this.#carryBytes;
  }

  /** Nothing of a record is under way, not even padding: the stream may be given to somebody else. */
  get isAtBoundary(): boolean {
    return this.#state !== 'dead' && this.pendingBytes === 0 && this.#skipBytes === 0;
  }

  #decode(chunk: Buffer): void {
    let at = this.#skipBytes;
    this.#skipBytes = 0;
    if (this.#headerBytes > 0) at = this.#decodeStraddling(chunk, at);
    at = this.#decodeWhole(chunk, at);
    if (at < chunk.length) at = this.#decodeStraddling(chunk, at);
    this.#skipBytes = Math.max(0, at - chunk.length);
  }

  /** Decodes the records that lie whole in the chunk; returns where the first other one begins. */
  #decodeWhole(chunk: Buffer, from: number): number {
    let at = from;
    while (chunk.length - at >= HEADER_BYTES) {
      const first = chunk.readUInt32BE(at); // version, type, request id
      const second = chunk.readUInt32BE(at + 4); // content length, padding length, reserved
      const contentStart = at + HEADER_BYTES;
      const contentEnd = contentStart + (second >>> 16);
      checkVersion(first >>> 24);
      if (contentEnd > chunk.length) return at;
      this.#emit(first, chunk, contentStart, contentEnd);
      at = contentEnd + ((second >>> 8) & 0xff);
      if (!this.#isDecoding()) return chunk.length;
    }
    return at;
  }

  /** Goes on with a record that is not whole in one chunk; returns where it or the chunk ends. */
  #decodeStraddling(chunk: Buffer, from: number): number {
    let at = this.#fillHeader(chunk, from);
    if (this.#headerBytes < HEADER_BYTES) return at;
    const first = this.#header.readUInt32BE(0);
    const contentBytes = this.#header.readUInt16BE(4);

    if (this.#carryBytes === 0 && chunk.length - at >= contentBytes) {
      this.#headerBytes = 0;
      this.#emit(first, chunk, at, at + contentBytes);
      at += contentBytes;
    } else {
      at = this.#fillCarry(chunk, at, contentBytes);
      if (this.#carryBytes < contentBytes) return at;
      const carry = this.#carry;
      this.#headerBytes = 0;
      this.#dropCarry();
      this.#emit(first, carry, 0, contentBytes);
    }
    return this.#isDecoding() ? at + this.#header.readUInt8(6) : chunk.length;
  }

  #emit(first: number, bytes: Buffer, start: number, end: number): void {
    const content = start === end ? EMPTY : bytes.subarray(start, end);
    this.#sink.record((first >>> 16) & 0xff, first & 0xffff, content);
  }

  #fillHeader(chunk: Buffer, from: number): number {
    if (from >= chunk.length) return from;
    const end = Math.min(chunk.length, from + HEADER_BYTES - this.#headerBytes);
    chunk.copy(this.#header, this.#headerBytes, from, end);
    this.#headerBytes += end - from;
    checkVersion(this.#header.readUInt8(0));
    return end;
  }

  // Grows with what has come, not with what a header announces: else 8 bytes would buy 64 KiB of
  // memory. By factors, so that a record in tiny chunks is not copied again for each of them.
  #fillCarry(chunk: Buffer, from: number, contentBytes: number): number {
    const end = Math.min(chunk.length, from + contentBytes - this.#carryBytes);
    const neededBytes = this.#carryBytes + end - from;
    if (neededBytes > this.#carry.length) {
      const roomBytes = Math.max(CARRY_MIN_BYTES, neededBytes, this.#carry.length * CARRY_GROWTH);
      const isMostOfIt = roomBytes * 2 >= contentBytes;
      const grown = Buffer.allocUnsafeSlow(isMostOfIt ? contentBytes : roomBytes);
      this.#carry.copy(grown, 0, 0, this.#carryBytes);
      this.#carry = grown;
    }
    chunk.copy(this.#carry, this.#carryBytes, from, end);
    this.#carryBytes = neededBytes;
    return end;
  }

  #dropCarry(): void {
    this.#carry = EMPTY;
    this.#carryBytes = 0;
  }

  // A method, because the sink may call stop() between any two looks at the state.
  #isDecoding(): boolean {
    return this.#state === 'decoding';
  }
}

function checkVersion(version: number): void {
  if (version === VERSION) return;
  throw new UsherdError('E_FCGI_VERSION', `record of version ${version}`);
}
