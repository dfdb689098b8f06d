// The header block of a worker's answer: held back until its blank line, judged, and written anew (R-W2).
import { strict as assert } from 'node:assert';
import { STATUS_CODES } from 'node:http';
import { LIMITS } from '../limits.js';
import {
  assertPlain,
  HeadLines,
  parseField,
  protocolError,
  type LineSink,
} from './response-lines.js';

export interface ResponseHead {
  readonly status: number;
  /** False: it is what answers without one have. */
  readonly isStatusGiven: boolean;
  /** Canonical CGI header lines, each with its end; without Content-Length, which `headBlock` adds. */
  readonly lines: string;
  /** False for 204 and 304: body bytes that come are dropped. Does not know about HEAD. */
  readonly hasBody: boolean;
  /** For one more line. */
  readonly hasRoom: boolean;
  /** As the worker announced it. */
  readonly contentLength: number | undefined;
  /** What the client sees late is of no use to it: the answer never waits on disk. */
  readonly isLive: boolean;
  /** Lower-case names of the headers that were dropped, for the log. */
  readonly struck: readonly string[];
}

/** Framing is ours; the rest would make the web server open files, jump, or believe usherd speaks. */
const STRUCK_NAMES: ReadonlySet<string> = new Set([
  ...['transfer-encoding', 'connection', 'keep-alive', 'upgrade', 'trailer', 'te'],
]);
/** Struck, and heeded by usherd itself. */
export const BUFFERING_NAME = 'x-accel-buffering';
const STRUCK_PREFIXES = /^(?:proxy-|x-sendfile|x-lighttpd-send-|x-accel-|x-usherd-)/;

const EVENT_STREAM = /^text\/event-stream\b/i;
const STATUS_VALUE = /^([2-5][0-9]{2})(?: +(.*))?$/;
const H = 0x48;
const NPH_LINE = /^HTTP\/[0-9](?:\.[0-9])? ([2-5][0-9]{2})(?: +(.*))?$/;
const EMPTY = Buffer.alloc(0);
const NONE: readonly string[] = [];

const isHttp = (bytes: Buffer, start: number, end: number): boolean =>
  bytes.toString('latin1', start, Math.min(end, start + 5)) === 'HTTP/';

/** The header block with its blank line, ready for STDOUT; owned by the caller. */
export function headBlock(lines: string, contentLength: number | undefined): Buffer {
  const length = contentLength === undefined ? '' : `Content-Length: ${contentLength}\r\n`;
  return Buffer.from(`${lines}${length}\r\n`, 'latin1');
}

/** Takes the header block in any chunking. After an error or after the head it takes nothing more. */
export class ResponseHeadParser implements LineSink {
  readonly #lines = new HeadLines(this);
  #status: { readonly code: number; readonly reason: string } | undefined;
  #isFirstLine = true;
  #hasLocation = false;
  #isLive = false;
  #contentLength: number | undefined;
  #locations = '';
  #text = '';
  #struck: string[] | undefined;
  #writtenCount = 0;
  #head: ResponseHead | undefined;
  #rest: Buffer = EMPTY;

  /**
   * True when the head is complete.
   * @throws UsherdError E_WORKER_PROTOCOL for a head that no web server should see.
   */
  push(content: Buffer): boolean {
    assert(this.#head === undefined, 'the head is complete');
    const end = this.#lines.push(content);
    if (end === -1) return false;
    if (this.#isFirstLine) throw protocolError('the answer has no header');
    this.#head = this.#build();
    this.#rest = content.subarray(end);
    return true;
  }

  /** Only after push returned true. */
  get head(): ResponseHead {
    assert(this.#head !== undefined, 'the head is not complete');
    return this.#head;
  }

  /** Body bytes that came with the end of the head; a view into the content pushed last. */
  get rest(): Buffer {
    return this.#rest;
  }

  line(bytes: Buffer, start: number, end: number): void {
    const isFirst = this.#isFirstLine;
    this.#isFirstLine = false;
    if (isFirst && bytes[start] === H && isHttp(bytes, start, end)) {
      assertPlain(bytes, start, end);
      this.#setStatus(NPH_LINE.exec(bytes.toString('latin1', start, end)));
      return;
    }
    const { name, lowerName, value } = parseField(bytes, start, end);
    this.#isLive ||= isLive(lowerName, value);
    switch (lowerName) {
      case 'status':
        this.#setStatus(STATUS_VALUE.exec(value));
        return;
      case 'content-length':
        this.#setContentLength(value);
        return;
      case 'location':
        this.#hasLocation ||= value !== '';
        break;
      default:
        break;
    }
    if (isStruck(lowerName, value)) {
      (this.#struck ??= []).push(lowerName);
      return;
    }
    this.#writtenCount += 1;
    const written = `${name}: ${value}\r\n`;
    if (lowerName === 'location') this.#locations += written;
    else this.#text += written;
  }

  #setStatus(match: RegExpExecArray | null): void {
    if (this.#status !== undefined) throw protocolError('the answer has two statuses');
    const digits = match?.[1];
    if (digits === undefined) throw protocolError('the status is not 200 to 599');
    this.#status = { code: Number(digits), reason: match?.[2] ?? '' };
  }

  #setContentLength(value: string): void {
    if (!/^[0-9]{1,15}$/.test(value)) throw protocolError('Content-Length is not a number');
    const length = Number(value);
    if (this.#contentLength !== undefined && this.#contentLength !== length) {
      throw protocolError('the answer has two content lengths');
    }
    this.#contentLength = length;
  }

  #build(): ResponseHead {
    const { code, reason } = this.#status ?? { code: this.#hasLocation ? 302 : 200, reason: '' };
    const hasBody = code !== 204 && code !== 304;
    const struck = this.#struck ?? NONE;
    // Of a chunked answer the length says nothing; where there is no body it can only be wrong.
    const contentLength = struck.includes('transfer-encoding') ? undefined : this.#contentLength;
    const reasonText = reason === '' ? (STATUS_CODES[code] ?? 'Unassigned') : reason;
    // HAProxy takes a Location for a status of 302, unless a Status comes after it.
    const status = `${this.#locations}Status: ${code} ${reasonText}\r\n`;
    const lines = status + this.#text;
    const isStatusGiven = this.#status !== undefined;
    const hasRoom = this.#writtenCount < LIMITS.responseHeadLinesMaxCount;
    const isLive = this.#isLive;
    return { status: code, isStatusGiven, lines, hasBody, hasRoom, contentLength, isLive, struck };
  }
}

/** A Content-Type that is no media type is a handler name to some web servers. */
function isStruck(lowerName: string, value: string): boolean {
  if (lowerName === 'content-type') return !value.includes('/');
  return STRUCK_NAMES.has(lowerName) || STRUCK_PREFIXES.test(lowerName);
}

function isLive(lowerName: string, value: string): boolean {
  if (lowerName === 'content-type') return EVENT_STREAM.test(value);
  return lowerName === BUFFERING_NAME && value.toLowerCase() === 'no';
}
