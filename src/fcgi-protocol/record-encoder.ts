// Records out: whole messages as one Buffer, streams as a header and the caller's bytes.
// Deviation: never pads, though FastCGI 1.0 §3.3 recommends it: nobody reads records in place.
import { Buffer } from 'node:buffer';

import { UsherdError } from '../errors.js';
import { LIMITS } from '../limits.js';
import { NULL_REQUEST_ID, ProtocolStatus, RecordType, VERSION } from './constants.js';
import { PairList, type PairRange, type Pairs } from './pair-list.js';
import { DISCRETE_BODY_BYTES } from './record.js';

const HEADER_BYTES = LIMITS.recordHeaderBytes;
const CONTENT_MAX_BYTES = LIMITS.recordContentMaxBytes;
const DISCRETE_BYTES = HEADER_BYTES + DISCRETE_BODY_BYTES;
const NO_PAIRS: PairRange = { from: 0, to: 0, bytes: 0 };

/** Without an error: nobody reads the bytes any more. */
export type WriteDone = (err?: Error | null) => void;

/** What an encoder writes to; a net.Socket is one. `write` says whether more may be sent now. */
export interface ByteSink {
  cork(): void;
  uncork(): void;
  write(bytes: Buffer, onWritten?: WriteDone): boolean;
}

/**
 * Writes records to one transport connection. Every method returns what the last write said: false
 * means that the bytes were taken, but that the caller should wait for the sink to drain.
 */
export class RecordEncoder {
  readonly #sink: ByteSink;

  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  beginRequest(id: number, role: number, flags: number): boolean {
    return this.#sink.write(new RecordBytes(DISCRETE_BYTES).beginRequest(id, role, flags).finish());
  }

  /**
   * The whole PARAMS stream with its end, in one write.
   *
   * Deviation: stricter than FastCGI 1.0 §3.3, no pair is split over two records, as php-cgi, uWSGI
   * and Ruby lose such a pair.
   *
   * @throws UsherdError E_PARAMS_TOO_LARGE for a pair longer than a record; E_PARAMS_MALFORMED
   */
  params(id: number, pairs: Pairs): boolean {
    const list = PairList.of(pairs);
    const ranges = list.ranges(CONTENT_MAX_BYTES);
    const bytes = new RecordBytes(paramsBytes(ranges)).params(id, list, ranges);
    return this.#sink.write(bytes.finish());
  }

  /**
   * Passes content on without a copy, in as many records as it takes. Empty content is no record,
   * as that would end the stream. `onWritten` is about all of it.
   */
  stream(type: number, id: number, content: Buffer, onWritten?: WriteDone): boolean {
    let mayWriteMore = true;
    this.#sink.cork();
    for (let at = 0; at < content.length; at += CONTENT_MAX_BYTES) {
      const part = content.length <= CONTENT_MAX_BYTES ? content : partOf(content, at);
      const isLast = at + CONTENT_MAX_BYTES >= content.length;
      this.#sink.write(encodeRecordHeader(type, id, part.length));
      mayWriteMore = this.#sink.write(part, isLast ? onWritten : undefined);
    }
    this.#sink.uncork();
    return mayWriteMore;
  }

  /** The empty record that ends a stream (FastCGI 1.0 §3.3). */
  endStream(type: number, id: number): boolean {
    return this.#sink.write(encodeRecordHeader(type, id, 0));
  }

  /**
   * Header and body in one write: Apache reads the body with a single recv and poisons the
   * connection otherwise.
   */
  endRequest(id: number, appStatus: number, protocolStatus: number): boolean {
    const bytes = new RecordBytes(DISCRETE_BYTES).endRequest(id, appStatus, protocolStatus);
    return this.#sink.write(bytes.finish());
  }

  abortRequest(id: number): boolean {
    return this.#sink.write(encodeRecordHeader(RecordType.ABORT_REQUEST, id, 0));
  }

  /** @throws UsherdError E_PARAMS_TOO_LARGE, E_PARAMS_MALFORMED */
  getValues(names: Iterable<string>): boolean {
    const pairs = new PairList();
    for (const name of names) pairs.set(name, '');
    return this.#management(RecordType.GET_VALUES, pairs);
  }

  /** @throws UsherdError E_PARAMS_TOO_LARGE, E_PARAMS_MALFORMED */
  getValuesResult(pairs: Pairs): boolean {
    return this.#management(RecordType.GET_VALUES_RESULT, pairs);
  }

  unknownType(type: number): boolean {
    return this.#sink.write(new RecordBytes(DISCRETE_BYTES).unknownType(type).finish());
  }

  #management(type: number, pairs: Pairs): boolean {
    const list = PairList.of(pairs);
    const [range = NO_PAIRS, ...more] = list.ranges(CONTENT_MAX_BYTES);
    if (more.length > 0) throw tooLarge('the pairs of a management record');
    const bytes = new RecordBytes(HEADER_BYTES + range.bytes);
    return this.#sink.write(bytes.pairs(type, NULL_REQUEST_ID, list, range).finish());
  }
}

/**
 * The last output, which may lie in several parts, with all that ends a request after it, for answers that go out in one
 * write. Copies.
 */
export function encodeLastOutput(
  id: number,
  parts: readonly Buffer[],
  appStatus: number,
  protocolStatus: number = ProtocolStatus.REQUEST_COMPLETE,
): Buffer {
  const length = lengthOf(parts);
  const records = Math.ceil(length / CONTENT_MAX_BYTES);
  const bytes = new RecordBytes((records + 1) * HEADER_BYTES + length + DISCRETE_BYTES);
  cutIntoRecords(bytes, RecordType.STDOUT, id, parts);
  bytes.header(RecordType.STDOUT, id, 0);
  return bytes.endRequest(id, appStatus, protocolStatus).finish();
}

/** Content that lies in several parts, in as few records as hold it. Copies. */
export function encodeStream(type: number, id: number, parts: readonly Buffer[]): Buffer {
  const length = lengthOf(parts);
  const records = Math.ceil(length / CONTENT_MAX_BYTES);
  const bytes = new RecordBytes(records * HEADER_BYTES + length);
  cutIntoRecords(bytes, type, id, parts);
  return bytes.finish();
}

/** What the head of a request says; `isBodiless`: the end of its STDIN stream follows at once. */
export interface RequestHead {
  readonly role: number;
  readonly flags: number;
  readonly params: Pairs;
  readonly isBodiless: boolean;
}

/**
 * BEGIN_REQUEST and the whole PARAMS stream, so that a worker gets the head of a request, or all of a request without a
 * body, in one read.
 *
 * @throws UsherdError E_PARAMS_TOO_LARGE for a pair longer than a record, E_PARAMS_MALFORMED for
 * one not latin1
 */
export function encodeRequestHead(id: number, head: RequestHead): Buffer {
  const { role, flags, params, isBodiless } = head;
  const list = PairList.of(params);
  const ranges = list.ranges(CONTENT_MAX_BYTES);
  const tailBytes = isBodiless ? HEADER_BYTES : 0;
  const bytes = new RecordBytes(DISCRETE_BYTES + paramsBytes(ranges) + tailBytes);
  bytes.beginRequest(id, role, flags).params(id, list, ranges);
  if (isBodiless) bytes.header(RecordType.STDIN, id, 0);
  return bytes.finish();
}

/** The header of a record whose content is written by somebody else. Owned by the caller. */
export function encodeRecordHeader(type: number, id: number, contentLength: number): Buffer {
  return new RecordBytes(HEADER_BYTES).header(type, id, contentLength).finish();
}

/** Takes records as their headers and the pieces of their content, which stay the caller's. */
export interface RecordTaker {
  header(type: number, id: number, contentLength: number): unknown;
  piece(bytes: Buffer): void;
}

/** Content that lies in several parts, in as few records as hold it. */
export function cutIntoRecords(
  to: RecordTaker,
  type: number,
  id: number,
  parts: readonly Buffer[],
): void {
  let left = lengthOf(parts);
  let room = 0;
  for (const part of parts) {
    for (let at = 0; at < part.length;) {
      if (room === 0) {
        room = Math.min(left, CONTENT_MAX_BYTES);
        left -= room;
        to.header(type, id, room);
      }
      const end = Math.min(part.length, at + room);
      to.piece(at === 0 && end === part.length ? part : part.subarray(at, end));
      room -= end - at;
      at = end;
    }
  }
}

/**
 * Memory of a known size that records fill from front to back; it is handed out only when every
 * byte is written.
 */
class RecordBytes implements RecordTaker {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(sizeBytes: number) {
    this.#bytes = Buffer.allocUnsafe(sizeBytes);
  }

  // All eight bytes, always; byte by byte, because the calls of Buffer take as long again.
  header(type: number, id: number, contentLength: number): this {
    if (
      (type & 0xff) !== type ||
      (id & 0xffff) !== id ||
      (contentLength & 0xffff) !== contentLength
    ) {
      throw new RangeError('a type, an id or a length does not fit into a record header');
    }
    const bytes = this.#bytes;
    const at = this.#at;
    bytes[at] = VERSION;
    bytes[at + 1] = type;
    bytes[at + 2] = id >>> 8;
    bytes[at + 3] = id;
    bytes[at + 4] = contentLength >>> 8;
    bytes[at + 5] = contentLength;
    bytes[at + 6] = 0; // padding length
    bytes[at + 7] = 0; // reserved
    this.#at = at + HEADER_BYTES;
    return this;
  }

  piece(bytes: Buffer): void {
    this.#at += bytes.copy(this.#bytes, this.#at);
  }

  pairs(type: number, id: number, list: PairList, range: PairRange): this {
    this.header(type, id, range.bytes);
    this.#at = list.write(this.#bytes, this.#at, range);
    return this;
  }

  beginRequest(id: number, role: number, flags: number): this {
    this.header(RecordType.BEGIN_REQUEST, id, DISCRETE_BODY_BYTES);
    const body = this.#discreteBody();
    this.#bytes.writeUInt16BE(role, body);
    this.#bytes.writeUInt8(flags, body + 2);
    return this;
  }

  params(id: number, list: PairList, ranges: readonly PairRange[]): this {
    for (const range of ranges) this.pairs(RecordType.PARAMS, id, list, range);
    return this.header(RecordType.PARAMS, id, 0);
  }

  endRequest(id: number, appStatus: number, protocolStatus: number): this {
    this.header(RecordType.END_REQUEST, id, DISCRETE_BODY_BYTES);
    const body = this.#discreteBody();
    this.#bytes.writeUInt32BE(appStatus, body);
    this.#bytes.writeUInt8(protocolStatus, body + 4);
    return this;
  }

  unknownType(type: number): this {
    this.header(RecordType.UNKNOWN_TYPE, NULL_REQUEST_ID, DISCRETE_BODY_BYTES);
    this.#bytes.writeUInt8(type, this.#discreteBody());
    return this;
  }

  finish(): Buffer {
    if (this.#at !== this.#bytes.length) throw new Error('a record is not as long as planned');
    return this.#bytes;
  }

  /** Eight zeros, reserved bytes among them; returns where they begin. */
  #discreteBody(): number {
    const start = this.#at;
    this.#at = start + DISCRETE_BODY_BYTES;
    this.#bytes.writeUInt32BE(0, start);
    this.#bytes.writeUInt32BE(0, start + 4);
    return start;
  }
}

/** Bytes of the PARAMS records with these pairs and of the empty one. */
function paramsBytes(ranges: readonly PairRange[]): number {
  let bytes: number = HEADER_BYTES;
  for (const range of ranges) bytes += HEADER_BYTES + range.bytes;
  return bytes;
}

function lengthOf(parts: readonly Buffer[]): number {
  let bytes = 0;
  for (const part of parts) bytes += part.length;
  return bytes;
}

function partOf(content: Buffer, at: number): Buffer {
  return content.subarray(at, at + CONTENT_MAX_BYTES);
}

const tooLarge = (what: string): UsherdError =>
  new UsherdError('E_PARAMS_TOO_LARGE', `${what} does not fit into one record`);
