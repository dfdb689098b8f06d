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

// Where they are in a header (FastCGI 1.0 §3.3).
const TYPE = 1;
const REQUEST_ID = 2;
const CONTENT_LENGTH = 4;
const PADDING_LENGTH = 6;

/** Called once per record, when its content is complete; its padding may still be on the way. */
export interface RecordSink {
  /**
   * Of this type, content is told as it comes: `record` is called for each piece of a record, none of which is empty, and for
   * an empty record. For streams whose records mean nothing, so that they are not held and copied.
   */
  readonly pieceType?: number;
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
  #header = EMPTY;
  #headerBytes = 0;
  /** The content of the straddling record; given away with the record. */
  #carry = EMPTY;
  #carryBytes = 0;
  /** Content of a record that is told in pieces, and has not come yet. */
  #pieceBytes = 0;
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
    this.#pieceBytes = 0;
    this.#dropCarry();
  }

  /** Bytes held of an incomplete record. */
  get pendingBytes(): number {
    return this.#headerBytes + this.#carryBytes;
  }

  /** Nothing of a record is under way, not even padding: the stream may be given to somebody else. */
  get isAtBoundary(): boolean {
    const isWhole = this.pendingBytes === 0 && this.#pieceBytes === 0;
    return this.#state !== 'dead' && isWhole && this.#skipBytes === 0;
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
      const contentStart = at + HEADER_BYTES;
      const contentEnd = contentStart + twoBytes(chunk, at + CONTENT_LENGTH);
      checkVersion(chunk[at]);
      if (contentEnd > chunk.length) return at;
      this.#emit(chunk, at, contentOf(chunk, contentStart, contentEnd));
      at = contentEnd + (chunk[at + PADDING_LENGTH] ?? 0);
      if (!this.#isDecoding()) return chunk.length;
    }
    return at;
  }

  /** Goes on with a record that is not whole in one chunk; returns where it or the chunk ends. */
  #decodeStraddling(chunk: Buffer, from: number): number {
    let at = this.#fillHeader(chunk, from);
    if (this.#headerBytes < HEADER_BYTES) return at;
    const contentBytes = twoBytes(this.#header, CONTENT_LENGTH);

    if (contentBytes > 0 && this.#header[TYPE] === this.#sink.pieceType) {
      at = this.#decodePiece(chunk, at, contentBytes);
      if (this.#pieceBytes > 0) return at;
      this.#headerBytes = 0;
    } else if (this.#carryBytes === 0 && chunk.length - at >= contentBytes) {
      this.#headerBytes = 0;
      this.#emit(this.#header, 0, contentOf(chunk, at, at + contentBytes));
      at += contentBytes;
    } else {
      at = this.#fillCarry(chunk, at, contentBytes);
      if (this.#carryBytes < contentBytes) return at;
      const carry = this.#carry;
      this.#headerBytes = 0;
      this.#dropCarry();
      this.#emit(this.#header, 0, contentOf(carry, 0, contentBytes));
    }
    return this.#isDecoding() ? at + (this.#header[PADDING_LENGTH] ?? 0) : chunk.length;
  }

  /** What the chunk has of this record; returns where it or the chunk ends. */
  #decodePiece(chunk: Buffer, from: number, contentBytes: number): number {
    if (this.#pieceBytes === 0) this.#pieceBytes = contentBytes;
    const end = Math.min(chunk.length, from + this.#pieceBytes);
    if (end === from) return end;
    this.#pieceBytes -= end - from;
    this.#emit(this.#header, 0, chunk.subarray(from, end));
    return end;
  }

  #emit(header: Buffer, at: number, content: Buffer): void {
    this.#sink.record(header[at + TYPE] ?? 0, twoBytes(header, at + REQUEST_ID), content);
  }

  #fillHeader(chunk: Buffer, from: number): number {
    if (from >= chunk.length) return from;
    if (this.#header === EMPTY) this.#header = Buffer.alloc(HEADER_BYTES); // most connections never need it
    const end = Math.min(chunk.length, from + HEADER_BYTES - this.#headerBytes);
    chunk.copy(this.#header, this.#headerBytes, from, end);
    this.#headerBytes += end - from;
    checkVersion(this.#header[0]);
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

// Byte by byte, because the calls of Buffer take twice as long.
const twoBytes = (bytes: Buffer, at: number): number =>
  ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);

const contentOf = (bytes: Buffer, start: number, end: number): Buffer =>
  start === end ? EMPTY : bytes.subarray(start, end);

function checkVersion(version: number | undefined): void {
  if (version === VERSION) return;
  throw new UsherdError('E_FCGI_VERSION', `record of version ${version}`);
}
