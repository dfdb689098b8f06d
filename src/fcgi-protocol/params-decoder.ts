// Name-value pairs in: a PARAMS stream, however its bytes are spread over records, or the body of one management record.
import { Buffer } from 'node:buffer';

import { UsherdError, isUsherdError } from '../errors.js';
import { LIMITS } from '../limits.js';
import { numberOfNameAt, UNKNOWN_NAME } from './known-names.js';
import { canonicalFieldBytes, lengthFieldBytes, readLength } from './name-value.js';
import { MARKS, PairList, REWRITTEN, roomForPairs, TEXTS } from './pair-list.js';

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

const GROWN_MIN_BYTES = 256;
const EMPTY = Buffer.alloc(0);

/** Below this a look at each byte is cheaper than a call that leaves JavaScript. */
const SHORT_BYTES = 64;

/** Collects the PARAMS stream of one request. */
export class ParamsDecoder {
  readonly #limits: NameValueLimits;
  /** All that has come, with room behind it. */
  #bytes = EMPTY;
  #bytesCount = 0;
  /** Where the first pair begins that is not whole. */
  #at = 0;
  #pairCount = 0;
  /** Made with the first pair: whoever only announces requests costs little. */
  #found: ReturnType<typeof roomForPairs> | undefined;
  #foundCount = 0;
  /** Names without a number. */
  #otherNames: Set<string> | undefined;
  #failure: UsherdError | undefined;

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
    if (this.#failure !== undefined || content.length === 0) return;
    try {
      if (this.#bytesCount + content.length > this.#limits.totalMaxBytes) {
        throw tooLarge(`more than ${this.#limits.totalMaxBytes} bytes`);
      }
      this.#append(content);
      this.#decode();
    } catch (err) {
      if (!isUsherdError(err)) throw err;
      this.#failure = err;
      this.#forget();
      if (err.code === 'E_PARAMS_TOO_LARGE') throw err;
    }
  }

  /**
   * The pairs in the order in which they came, owned by the caller. Called once, at the empty record.
   *
   * @throws UsherdError E_PARAMS_MALFORMED, E_PARAMS_DUPLICATE, E_PARAMS_TOO_LARGE
   */
  end(): PairList {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#at < this.#bytesCount) throw malformed('the last pair is cut short');
    if (this.#found === undefined) return new PairList();
    return new PairList({ bytes: this.#bytes, ...this.#found, count: this.#foundCount });
  }

  #forget(): void {
    this.#bytes = EMPTY;
    this.#found = undefined;
    this.#otherNames = undefined;
  }

  // Most streams are one record. Else by doubling: neither long lengths nor tiny records make it expensive.
  #append(content: Buffer): void {
    const neededBytes = this.#bytesCount + content.length;
    if (this.#bytesCount === 0) {
      this.#bytes = Buffer.from(content);
    } else {
      if (neededBytes > this.#bytes.length) {
        const grown = Buffer.alloc(Math.max(GROWN_MIN_BYTES, neededBytes, 2 * this.#bytes.length));
        this.#bytes.copy(grown, 0, 0, this.#bytesCount);
        this.#bytes = grown;
      }
      content.copy(this.#bytes, this.#bytesCount);
    }
    this.#bytesCount = neededBytes;
  }

  #decode(): void {
    while (this.#at < this.#bytesCount) {
      const neededBytes = this.#measure();
      if (neededBytes > this.#bytesCount - this.#at) return;
      this.#add(this.#at);
      this.#at += neededBytes;
    }
  }

  /**
   * How many bytes the next pair takes; while its lengths are not whole, how many it takes to know
   * more. Refuses by the lengths alone, long before the bytes would come.
   */
  #measure(): number {
    const bytes = this.#bytes;
    const start = this.#at;
    const haveBytes = this.#bytesCount - start;
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
  #add(start: number): void {
    this.#pairCount += 1;
    if (this.#pairCount > this.#limits.pairMaxCount) {
      throw tooLarge(`more than ${this.#limits.pairMaxCount} pairs`);
    }
    const nameStart = start + this.#lengthsBytes;
    const valueStart = nameStart + this.#nameBytes;
    const end = valueStart + this.#valueBytes;
    const number = numberOfNameAt(this.#bytes, nameStart, this.#nameBytes);
    // No known name has one.
    const judgedFrom = number === UNKNOWN_NAME ? nameStart : valueStart;
    if (hasNul(this.#bytes, judgedFrom, end)) throw malformed('a NUL byte in a name or value');
    if (this.#nameBytes === 0) return;
    const name = number === UNKNOWN_NAME ? this.#text(nameStart, valueStart) : undefined;
    if (name === undefined ? this.#isMarked(number) : this.#isTold(name)) {
      const twice = this.#text(nameStart, valueStart);
      throw new UsherdError('E_PARAMS_DUPLICATE', twice);
    }
    const isAsEncoded =
      this.#lengthsBytes ===
      canonicalFieldBytes(this.#nameBytes) + canonicalFieldBytes(this.#valueBytes);
    const { marks, texts } = (this.#found ??= roomForPairs());
    const first = this.#foundCount * MARKS;
    marks[first] = number;
    marks[first + 1] = isAsEncoded ? start : REWRITTEN;
    marks[first + 2] = valueStart;
    marks[first + 3] = end;
    texts[this.#foundCount * TEXTS] = name;
    texts[this.#foundCount * TEXTS + 1] = undefined;
    this.#foundCount += 1;
  }

  #text(start: number, end: number): string {
    return this.#bytes.toString('latin1', start, end);
  }

  #isMarked(number: number): boolean {
    const marks = this.#found?.marks;
    for (let found = 0; found < this.#foundCount; found += 1) {
      if (marks?.[found * MARKS] === number) return true;
    }
    return false;
  }

  #isTold(name: string): boolean {
    const names = (this.#otherNames ??= new Set());
    const countBefore = names.size;
    return names.add(name).size === countBefore;
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
): PairList {
  const decoder = new ParamsDecoder(limits);
  decoder.push(content);
  return decoder.end();
}

function hasNul(bytes: Buffer, start: number, end: number): boolean {
  if (end - start > SHORT_BYTES) return bytes.subarray(start, end).includes(0);
  for (let at = start; at < end; at += 1) if (bytes[at] === 0) return true;
  return false;
}

const tooLarge = (detail: string): UsherdError => new UsherdError('E_PARAMS_TOO_LARGE', detail);
const malformed = (detail: string): UsherdError => new UsherdError('E_PARAMS_MALFORMED', detail);
