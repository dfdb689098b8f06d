// Name-value pairs (FastCGI 1.0 §3.4), decoded from a stream or from one body, and encoded.
// Names and values are latin1 strings, one char a byte, so that every byte comes out as it went in.
import { Buffer } from 'node:buffer';

import { UsherdError, isUsherdError } from '../errors.js';
import { LIMITS } from '../limits.js';

export interface NameValueLimits {
  /** Of the whole stream, length fields included. */
  readonly totalMaxBytes: number;
  /** Pairs with an empty name count too. */
  readonly pairMaxCount: number;
  readonly nameMaxBytes: number;
  readonly valueMaxBytes: number;
}

const PARAMS_LIMITS: NameValueLimits = {
  totalMaxBytes: LIMITS.paramsTotalMaxBytes,
  pairMaxCount: LIMITS.paramsPairMaxCount,
  nameMaxBytes: LIMITS.paramNameMaxBytes,
  valueMaxBytes: LIMITS.paramValueMaxBytes,
};

const MANAGEMENT_LIMITS: NameValueLimits = {
  ...PARAMS_LIMITS,
  totalMaxBytes: LIMITS.getValuesMaxBytes,
};

const SHORT_LENGTH_MAX = 0x7f;
const LONG_LENGTH_BIT = 0x80;
const LONG_LENGTH_MASK = 0x7fff_ffff;
const LONG_LENGTH_BYTES = 4;
const CARRY_MIN_BYTES = 256;
const EMPTY = Buffer.alloc(0);
const NOT_LATIN1 = /[^\u0000-\u00ff]/;

/** Collects the PARAMS stream of one request, however its bytes are spread over records. */
export class ParamsDecoder {
  readonly #limits: NameValueLimits;
  #pairs = new Map<string, string>();
  #pairCount = 0;
  #totalBytes = 0;
  #failure: UsherdError | undefined;

  /** The pair that did not end with its record. */
  #carry = EMPTY;
  #carryBytes = 0;

  // Of the pair that was measured last.
  #lengthsBytes = 0;
  #nameBytes = 0;
  #valueBytes = 0;

  constructor(limits: NameValueLimits = PARAMS_LIMITS) {
    this.#limits = limits;
  }

  /**
   * Takes the content of one record and keeps no view into it. The first failure frees everything;
   * what is pushed after it is ignored, so the rest of a refused stream can be drained here.
   *
   * @throws UsherdError E_PARAMS_TOO_LARGE, as soon as a length announces it; other failures wait
   * for `end()`
   */
  push(content: Buffer): void {
    if (this.#failure !== undefined) return;
    try {
      this.#totalBytes += content.length;
      if (this.#totalBytes > this.#limits.totalMaxBytes) {
        throw tooLarge(`more than ${this.#limits.totalMaxBytes} bytes`);
      }
      this.#decode(content);
    } catch (err) {
      if (!isUsherdError(err)) throw err;
      this.#failure = err;
      this.#pairs = new Map();
      this.#carry = EMPTY;
      if (err.code === 'E_PARAMS_TOO_LARGE') throw err;
    }
  }

  /**
   * The pairs in the order in which they came, owned by the caller. Called once, at the empty record.
   *
   * @throws UsherdError E_PARAMS_MALFORMED, E_PARAMS_DUPLICATE, E_PARAMS_TOO_LARGE
   */
  end(): Map<string, string> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#carryBytes > 0) throw malformed('the last pair is cut short');
    return this.#pairs;
  }

  #decode(content: Buffer): void {
    let at = this.#carryBytes > 0 ? this.#completeCarried(content) : 0;
    while (at < content.length) {
      const neededBytes = this.#measure(content, at, content.length);
      if (neededBytes > content.length - at) {
        this.#carryOver(content, at, content.length);
        return;
      }
      this.#add(content, at);
      at += neededBytes;
    }
  }

  /** Ends the carried pair, or carries all of the content too; returns where the next begins. */
  #completeCarried(content: Buffer): number {
    let at = 0;
    let neededBytes = this.#measure(this.#carry, 0, this.#carryBytes);
    while (neededBytes > this.#carryBytes && at < content.length) {
      const end = Math.min(content.length, at + neededBytes - this.#carryBytes);
      this.#carryOver(content, at, end);
      at = end;
      neededBytes = this.#measure(this.#carry, 0, this.#carryBytes);
    }
    if (neededBytes <= this.#carryBytes) {
      this.#add(this.#carry, 0);
      this.#carryBytes = 0;
    }
    return at;
  }

  // Grows with what has come, by doubling: neither long lengths nor tiny records make it expensive.
  #carryOver(content: Buffer, start: number, end: number): void {
    const neededBytes = this.#carryBytes + end - start;
    if (neededBytes > this.#carry.length) {
      const grown = Buffer.alloc(Math.max(CARRY_MIN_BYTES, neededBytes, 2 * this.#carry.length));
      this.#carry.copy(grown, 0, 0, this.#carryBytes);
      this.#carry = grown;
    }
    content.copy(this.#carry, this.#carryBytes, start, end);
    this.#carryBytes = neededBytes;
  }

  /**
   * How many bytes the pair at `start` takes, of which those before `end` are there; while its
   * lengths are not whole, how many it takes to know more. Refuses by the lengths alone, long
   * before the bytes would come.
   */
  #measure(bytes: Buffer, start: number, end: number): number {
    const haveBytes = end - start;
    const nameField = lengthFieldBytes(bytes, start);
    if (haveBytes < nameField) return nameField;
    const nameBytes = readLength(bytes, start, nameField);
    if (nameBytes > this.#limits.nameMaxBytes) throw tooLarge(`a name of ${nameBytes} bytes`);
    if (haveBytes === nameField) return nameField + 1;

    const valueField = lengthFieldBytes(bytes, start + nameField);
    const lengthsBytes = nameField + valueField;
    if (haveBytes < lengthsBytes) return lengthsBytes;
    const valueBytes = readLength(bytes, start + nameField, valueField);
    if (valueBytes > this.#limits.valueMaxBytes) throw tooLarge(`a value of ${valueBytes} bytes`);

    this.#lengthsBytes = lengthsBytes;
    this.#nameBytes = nameBytes;
    this.#valueBytes = valueBytes;
    return lengthsBytes + nameBytes + valueBytes;
  }

  /**
   * Adds the pair at `start`, which was measured and is whole.
   *
   * Deviation: FastCGI 1.0 §3.4 allows what an environment cannot hold or would hold twice. NUL is
   * refused, an empty name is dropped, and a name that comes twice is refused: if two readers pick
   * different ones, one is deceived.
   */
  #add(bytes: Buffer, start: number): void {
    this.#pairCount += 1;
    if (this.#pairCount > this.#limits.pairMaxCount) {
      throw tooLarge(`more than ${this.#limits.pairMaxCount} pairs`);
    }
    const nameStart = start + this.#lengthsBytes;
    const nameBytes = this.#nameBytes;
    // One string a pair, cut in two: half the calls into the runtime of a string each, and a value
    // that outlives the request keeps its own name alive, not the whole stream.
    const pair = bytes.toString('latin1', nameStart, nameStart + nameBytes + this.#valueBytes);
    if (pair.includes('\0')) throw malformed('a NUL byte in a name or value');
    if (nameBytes === 0) return;
    const name = pair.slice(0, nameBytes);
    const sizeBefore = this.#pairs.size;
    this.#pairs.set(name, pair.slice(nameBytes));
    if (this.#pairs.size === sizeBefore) throw new UsherdError('E_PARAMS_DUPLICATE', name);
  }
}

/**
 * Decodes the pairs of a management record; the default limits are theirs.
 *
 * @throws UsherdError E_PARAMS_MALFORMED, E_PARAMS_DUPLICATE, E_PARAMS_TOO_LARGE
 */
export function decodeNameValues(
  content: Buffer,
  limits: NameValueLimits = MANAGEMENT_LIMITS,
): Map<string, string> {
  const decoder = new ParamsDecoder(limits);
  decoder.push(content);
  return decoder.end();
}

/** Bytes that a pair takes, its length fields included. */
export function nameValueLength(name: string, value: string): number {
  const nameField = name.length > SHORT_LENGTH_MAX ? LONG_LENGTH_BYTES : 1;
  const valueField = value.length > SHORT_LENGTH_MAX ? LONG_LENGTH_BYTES : 1;
  return nameField + valueField + name.length + value.length;
}

/**
 * One pair as latin1 text. Text, because many pairs are joined and written to memory once, which
 * takes half the time of a write for each name and value.
 *
 * @throws UsherdError E_PARAMS_MALFORMED for a char above 255, which would lose its upper half
 */
export function encodeNameValue(name: string, value: string): string {
  if (NOT_LATIN1.test(name) || NOT_LATIN1.test(value)) {
    throw malformed('a name or value that is not latin1');
  }
  return encodeLength(name.length) + encodeLength(value.length) + name + value;
}

function encodeLength(length: number): string {
  if (length <= SHORT_LENGTH_MAX) return String.fromCharCode(length);
  return String.fromCharCode(
    (length >>> 24) | LONG_LENGTH_BIT,
    (length >>> 16) & 0xff,
    (length >>> 8) & 0xff,
    length & 0xff,
  );
}

function lengthFieldBytes(bytes: Buffer, at: number): number {
  return bytes.readUInt8(at) > SHORT_LENGTH_MAX ? LONG_LENGTH_BYTES : 1;
}

function readLength(bytes: Buffer, at: number, fieldBytes: number): number {
  return fieldBytes === 1 ? bytes.readUInt8(at) : bytes.readUInt32BE(at) & LONG_LENGTH_MASK;
}

const tooLarge = (detail: string): UsherdError => new UsherdError('E_PARAMS_TOO_LARGE', detail);
const malformed = (detail: string): UsherdError => new UsherdError('E_PARAMS_MALFORMED', detail);
