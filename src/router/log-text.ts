// Bytes of a tenant as text that is safe in a log and on a terminal: one line stays one line.
import { isUtf8 } from 'node:buffer';
import { LIMITS } from '../limits.js';

const LF = 0x0a;
const CR = 0x0d;

/** C0 but TAB, DEL, C1, and the characters that end lines or turn the reading direction. */
const UNSAFE = /[^\P{Cc}\t]|[\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

const hex = (byte: number): string => `\\x${byte.toString(16).padStart(2, '0')}`;

const escapeChar = (char: string): string => Array.from(Buffer.from(char), hex).join('');

/** Length of the UTF-8 sequence that begins at `start`, 0 if there is none. */
function sequenceBytes(bytes: Buffer, start: number): number {
  const lead = bytes[start] ?? 0;
  const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  return isUtf8(bytes.subarray(start, start + length)) ? length : 0;
}

function decodeBroken(bytes: Buffer): string {
  let text = '';
  let start = 0;
  while (start < bytes.length) {
    const length = sequenceBytes(bytes, start);
    text += length === 0 ? hex(bytes[start] ?? 0) : bytes.toString('utf8', start, start + length);
    start += Math.max(length, 1);
  }
  return text;
}

/** No byte that a terminal obeys and no byte that is not UTF-8: those become `\xNN`. A TAB stays. */
export function escapeLogBytes(bytes: Buffer): string {
  const text = isUtf8(bytes) ? bytes.toString('utf8') : decodeBroken(bytes);
  return text.replace(UNSAFE, escapeChar);
}

/** Where to cut so that no UTF-8 sequence is cut through. */
function cutBefore(bytes: Buffer, end: number): number {
  let cut = end;
  while (end - cut < 3 && ((bytes[cut] ?? 0) & 0xc0) === 0x80) cut -= 1;
  return ((bytes[cut] ?? 0) & 0xc0) === 0x80 ? end : cut;
}

/** Gets a line without its end; `isContinued`: it begins in the middle of a long one. A view, valid until it returns. */
export type OnLogLine = (line: Buffer, isContinued: boolean) => void;

/** Cuts a stream into lines of bounded length; holds at most one unfinished line. */
export class LogLines {
  readonly #onLine: OnLogLine;
  #carry: Buffer = Buffer.alloc(0);
  #isContinued = false;
  #isSkipping = false;

  constructor(onLine: OnLogLine) {
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    let start = 0;
    for (;;) {
      const newline = chunk.indexOf(LF, start);
      if (newline === -1) break;
      this.#endLine(chunk.subarray(start, newline));
      start = newline + 1;
    }
    if (start < chunk.length && !this.#isSkipping) this.#keep(chunk.subarray(start));
  }

  /** Bytes were lost here: what follows up to the next line end belongs to a line without a beginning. */
  skip(): void {
    this.#carry = Buffer.alloc(0);
    this.#isContinued = false;
    this.#isSkipping = true;
  }

  /** The stream is over: what is left is a line. */
  end(): void {
    if (this.#carry.length > 0) this.#endLine(Buffer.alloc(0));
  }

  #endLine(tail: Buffer): void {
    const wasContinued = this.#isContinued;
    const wasSkipping = this.#isSkipping;
    const rest = wasSkipping ? tail : this.#cut(this.#joined(tail));
    this.#carry = Buffer.alloc(0);
    const isTailEmpty = rest.length === 0 && wasContinued;
    if (!wasSkipping && !isTailEmpty) {
      const line = rest[rest.length - 1] === CR ? rest.subarray(0, -1) : rest;
      this.#onLine(line, this.#isContinued);
    }
    this.#isContinued = false;
    this.#isSkipping = false;
  }

  #keep(bytes: Buffer): void {
    this.#carry = Buffer.from(this.#cut(this.#joined(bytes)));
  }

  #joined(bytes: Buffer): Buffer {
    return this.#carry.length === 0 ? bytes : Buffer.concat([this.#carry, bytes]);
  }

  /** Hands out whole pieces of a line that is too long, returns what is left. */
  #cut(bytes: Buffer): Buffer {
    let rest = bytes;
    while (rest.length > LIMITS.logLineMaxBytes) {
      const end = cutBefore(rest, LIMITS.logLineMaxBytes);
      this.#onLine(rest.subarray(0, end), this.#isContinued);
      this.#isContinued = true;
      rest = rest.subarray(end);
    }
    return rest;
  }
}
