// One header line of a worker's answer at a time: cut, judged byte by byte, named. Knows no header by name.
import { UsherdError } from '../errors.js';
import { LIMITS } from '../limits.js';

const LF = 0x0a;
const CR = 0x0d;
const TAB = 0x09;
const SPACE = 0x20;
const COLON = 0x3a;
const DEL = 0x7f;

/** RFC 9110 §5.6.2: what a header name is made of. */
const TOKEN = new Uint8Array(256);
for (const char of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
  TOKEN[char.charCodeAt(0)] = 1;
}

export const protocolError = (detail: string): UsherdError =>
  new UsherdError('E_WORKER_PROTOCOL', detail);

export interface HeaderField {
  readonly name: string;
  readonly lowerName: string;
  /** latin1, without blanks at either end, without control bytes. */
  readonly value: string;
}

/** @throws UsherdError E_WORKER_PROTOCOL if a byte between start and end is a control byte other than TAB. */
export function assertPlain(bytes: Buffer, start: number, end: number): void {
  for (let i = start; i < end; i += 1) {
    const byte = bytes[i] ?? 0;
    if ((byte < SPACE && byte !== TAB) || byte === DEL) {
      throw protocolError('a header line has a control byte');
    }
  }
}

const isBlank = (byte: number | undefined): boolean => byte === SPACE || byte === TAB;

/**
 * Of the line between `lineStart` and `lineEnd`.
 * @throws UsherdError E_WORKER_PROTOCOL for anything that is not `token: value`, folded lines among it.
 */
export function parseField(bytes: Buffer, lineStart: number, lineEnd: number): HeaderField {
  let colon = lineStart;
  while (colon < lineEnd && TOKEN[bytes[colon] ?? 0] === 1) colon += 1;
  if (colon === lineStart || colon === lineEnd || bytes[colon] !== COLON) {
    throw protocolError('a header line does not begin with a name and a colon');
  }
  let start = colon + 1;
  let end = lineEnd;
  while (start < end && isBlank(bytes[start])) start += 1;
  while (end > start && isBlank(bytes[end - 1])) end -= 1;
  assertPlain(bytes, start, end);
  const name = bytes.toString('latin1', lineStart, colon);
  return { name, lowerName: name.toLowerCase(), value: bytes.toString('latin1', start, end) };
}

/** Gets each line without its end, as a place in bytes that are valid until it returns. */
export interface LineSink {
  line(bytes: Buffer, start: number, end: number): void;
}

/**
 * Cuts a header block into lines, whatever the chunks. Bounds come first: nothing over a limit is kept.
 * Holds one unfinished line at most.
 */
export class HeadLines {
  readonly #sink: LineSink;
  #carry: Buffer[] | undefined;
  #carryBytes = 0;
  #blockBytes = 0;
  #linesCount = 0;

  constructor(sink: LineSink) {
    this.#sink = sink;
  }

  /**
   * Index behind the blank line, or -1 if the block goes on.
   * @throws UsherdError E_WORKER_PROTOCOL over a limit, and what the sink throws.
   */
  push(chunk: Buffer): number {
    let start = 0;
    for (;;) {
      const newline = chunk.indexOf(LF, start);
      const end = newline === -1 ? chunk.length : newline + 1;
      this.#count(end - start);
      if (newline === -1) {
        if (end > start) (this.#carry ??= []).push(Buffer.from(chunk.subarray(start)));
        return -1;
      }
      const isBlankLine = this.#takeLine(chunk, start, newline);
      start = end;
      if (isBlankLine) return start;
    }
  }

  /** Of the line whose last part is there, without its LF. */
  #takeLine(chunk: Buffer, start: number, end: number): boolean {
    const carry = this.#carry;
    this.#carry = undefined;
    this.#carryBytes = 0;
    if (carry === undefined) return this.#judge(chunk, start, end);
    const line = Buffer.concat([...carry, chunk.subarray(start, end)]);
    return this.#judge(line, 0, line.length);
  }

  #judge(bytes: Buffer, start: number, end: number): boolean {
    const bareEnd = end > start && bytes[end - 1] === CR ? end - 1 : end;
    if (bareEnd - start > LIMITS.responseHeadLineMaxBytes) {
      throw protocolError('a header line is too long');
    }
    if (bareEnd === start) return true;
    this.#linesCount += 1;
    if (this.#linesCount > LIMITS.responseHeadLinesMaxCount) {
      throw protocolError('the header block has too many lines');
    }
    this.#sink.line(bytes, start, bareEnd);
    return false;
  }

  #count(bytes: number): void {
    this.#blockBytes += bytes;
    this.#carryBytes += bytes;
    if (this.#blockBytes > LIMITS.responseHeadMaxBytes) {
      throw protocolError('the header block is too long');
    }
    if (this.#carryBytes > LIMITS.responseHeadLineMaxBytes + 2) {
      throw protocolError('a header line is too long');
    }
  }
}
