// Records out: whole messages as one Buffer, streams as a header and the caller's bytes.
// Deviation: never pads, though FastCGI 1.0 §3.3 recommends it: nobody reads records in place.
import { Buffer } from 'node:buffer';

import { UsherdError } from '../errors.js';
import { LIMITS } from '../limits.js';
import { NULL_REQUEST_ID, ProtocolStatus, RecordType, VERSION } from './constants.js';
import { encodeNameValue } from './name-value.js';
import { DISCRETE_BODY_BYTES } from './record.js';

const HEADER_BYTES = LIMITS.recordHeaderBytes;
const CONTENT_MAX_BYTES = LIMITS.recordContentMaxBytes;
const DISCRETE_BYTES = HEADER_BYTES + DISCRETE_BODY_BYTES;

/** What an encoder writes to; a net.Socket is one. `write` says whether more may be sent now. */
export interface ByteSink {
  cork(): void;
  uncork(): void;
  write(bytes: Buffer): boolean;
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
  params(id: number, pairs: ReadonlyMap<string, string>): boolean {
    const contents = packPairs(pairs);
    const bytes = new RecordBytes(paramsBytes(contents)).params(id, contents);
    return this.#sink.write(bytes.finish());
  }

  /**
   * Passes content on without a copy, in as many records as it takes. Empty content is no record,
   * as that would end the stream.
   */
  stream(type: number, id: number, content: Buffer): boolean {
    let mayWriteMore = true;
    this.#sink.cork();
    for (let at = 0; at < content.length; at += CONTENT_MAX_BYTES) {
      const part = content.length <= CONTENT_MAX_BYTES ? content : partOf(content, at);
      this.#sink.write(encodeRecordHeader(type, id, part.length));
      mayWriteMore = this.#sink.write(part);
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
    const pairs = new Map<string, string>();
    for (const name of names) pairs.set(name, '');
    return this.#management(RecordType.GET_VALUES, pairs);
  }

  /** @throws UsherdError E_PARAMS_TOO_LARGE, E_PARAMS_MALFORMED */
  getValuesResult(pairs: ReadonlyMap<string, string>): boolean {
    return this.#management(RecordType.GET_VALUES_RESULT, pairs);
  }

  unknownType(type: number): boolean {
    return this.#sink.write(new RecordBytes(DISCRETE_BYTES).unknownType(type).finish());
  }

  #management(type: number, pairs: ReadonlyMap<string, string>): boolean {
    const [content = '', ...more] = packPairs(pairs);
    if (more.length > 0) throw tooLarge('the pairs of a management record');
    const bytes = new RecordBytes(HEADER_BYTES + content.length);
    return this.#sink.write(bytes.text(type, NULL_REQUEST_ID, content).finish());
  }
}

/**
 * One STDOUT content with all that ends a request after it, for answers that go out in one write.
 * Copies.
 */
export function encodeLastOutput(
  id: number,
  content: Buffer,
  appStatus: number,
  protocolStatus: number = ProtocolStatus.REQUEST_COMPLETE,
): Buffer {
  const records = Math.ceil(content.length / CONTENT_MAX_BYTES);
  const bytes = new RecordBytes((records + 1) * HEADER_BYTES + content.length + DISCRETE_BYTES);
  for (let at = 0; at < content.length; at += CONTENT_MAX_BYTES) {
    bytes.content(RecordType.STDOUT, id, partOf(content, at));
  }
  bytes.header(RecordType.STDOUT, id, 0);
  return bytes.endRequest(id, appStatus, protocolStatus).finish();
}

/**
 * BEGIN_REQUEST and the whole PARAMS stream, so that a worker gets the head of a request in one
 * read.
 *
 * @throws UsherdError E_PARAMS_TOO_LARGE for a pair longer than a record, E_PARAMS_MALFORMED for
 * one not latin1
 */
export function encodeRequestHead(
  id: number,
  role: number,
  flags: number,
  pairs: ReadonlyMap<string, string>,
): Buffer {
  const contents = packPairs(pairs);
  const bytes = new RecordBytes(DISCRETE_BYTES + paramsBytes(contents));
  return bytes.beginRequest(id, role, flags).params(id, contents).finish();
}

/** The header of a record whose content is written by somebody else. Owned by the caller. */
export function encodeRecordHeader(type: number, id: number, contentLength: number): Buffer {
  return new RecordBytes(HEADER_BYTES).header(type, id, contentLength).finish();
}

/**
 * Memory of a known size that records fill from front to back; it is handed out only when every
 * byte is written.
 */
class RecordBytes {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(sizeBytes: number) {
    this.#bytes = Buffer.allocUnsafe(sizeBytes);
  }

  // All eight bytes, always. The fixed-width writes throw a RangeError for an id or a length that
  // does not fit.
  header(type: number, id: number, contentLength: number): this {
    const at = this.#at;
    this.#bytes.writeUInt8(VERSION, at);
    this.#bytes.writeUInt8(type, at + 1);
    this.#bytes.writeUInt16BE(id, at + 2);
    this.#bytes.writeUInt16BE(contentLength, at + 4);
    this.#bytes.writeUInt16BE(0, at + 6); // padding length, reserved
    this.#at = at + HEADER_BYTES;
    return this;
  }

  content(type: number, id: number, content: Buffer): void {
    this.header(type, id, content.length);
    this.#at += content.copy(this.#bytes, this.#at);
  }

  text(type: number, id: number, latin1: string): this {
    this.header(type, id, latin1.length);
    this.#at += this.#bytes.write(latin1, this.#at, 'latin1');
    return this;
  }

  beginRequest(id: number, role: number, flags: number): this {
    this.header(RecordType.BEGIN_REQUEST, id, DISCRETE_BODY_BYTES);
    const body = this.#discreteBody();
    this.#bytes.writeUInt16BE(role, body);
    this.#bytes.writeUInt8(flags, body + 2);
    return this;
  }

  params(id: number, contents: readonly string[]): this {
    for (const content of contents) this.text(RecordType.PARAMS, id, content);
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
    this.#bytes.fill(0, start, this.#at);
    return start;
  }
}

/** Puts whole pairs into as few record contents as their order allows. */
function packPairs(pairs: ReadonlyMap<string, string>): string[] {
  const contents: string[] = [];
  let content = '';
  for (const [name, value] of pairs) {
    const pair = encodeNameValue(name, value);
    if (pair.length > CONTENT_MAX_BYTES) throw tooLarge(`the pair ${name.slice(0, 64)}`);
    if (content.length + pair.length > CONTENT_MAX_BYTES) {
      contents.push(content);
      content = '';
    }
    content += pair;
  }
  if (content !== '') contents.push(content);
  return contents;
}

/** Bytes of the PARAMS records with these contents and of the empty one. */
function paramsBytes(contents: readonly string[]): number {
  let bytes: number = HEADER_BYTES;
  for (const content of contents) bytes += HEADER_BYTES + content.length;
  return bytes;
}

function partOf(content: Buffer, at: number): Buffer {
  return content.subarray(at, at + CONTENT_MAX_BYTES);
}

const tooLarge = (what: string): UsherdError =>
  new UsherdError('E_PARAMS_TOO_LARGE', `${what} does not fit into one record`);
