// The pairs of one PARAMS stream: in their order, each name once, left as the bytes that came until somebody asks for a value.
// What nobody has changed leaves as it came, many pairs in one copy: the same bytes as if it were encoded anew.
import { Buffer } from 'node:buffer';

import { UsherdError } from '../errors.js';
import { KNOWN_NAMES, numberOfName, UNKNOWN_NAME } from './known-names.js';
import { nameValueLength, writeNameValue } from './name-value.js';

/** Pairs by name, for whoever only reads them; a Map is one. */
export interface Pairs extends Iterable<[string, string]> {
  readonly size: number;
  get(name: string): string | undefined;
  has(name: string): boolean;
  keys(): Iterable<string>;
}

/** For whoever changes them, too. */
export interface Params extends Pairs {
  set(name: string, value: string): unknown;
  delete(name: string): boolean;
}

/** Which names pass: by the number of a known one, by the text of any other. */
export interface NameRule {
  readonly known: readonly boolean[];
  other(name: string): boolean;
}

/** Neighbours that fit into one record. */
export interface PairRange {
  readonly from: number;
  /** Behind the last. */
  readonly to: number;
  readonly bytes: number;
}

/*
 * Four numbers a pair in `marks`, two texts in `texts`:
 *
 *     its name's number | where the pair begins in `bytes` | where its value begins | where it ends
 *     its name, if that has no number | its value, if it was asked for or given
 *
 * A pair without a beginning is written anew, from its texts.
 */
export const MARKS = 4;
export const TEXTS = 2;
const START = 1;
const VALUE = 2;
const END = 3;
/** In the place of a beginning. */
export const REWRITTEN = -1;

/** In the place of a name's number: the pair was taken out. */
const GONE = -2;
const NO_PLACE = -1;
const EMPTY = Buffer.alloc(0);

/** What a decoder has found. All of it is given away. */
export interface DecodedPairs {
  readonly bytes: Buffer;
  /** Nothing in them is a NUL. Of a pair with a beginning, encoding it anew would give the same bytes. */
  readonly marks: number[];
  readonly texts: (string | undefined)[];
  /** Of pairs. The arrays may be longer: room for more of them. */
  readonly count: number;
}

const PLACES_COUNT = 32;

/** Room for the pairs of an ordinary request, so that it is not made bit by bit. */
export const roomForPairs = (): Pick<DecodedPairs, 'marks' | 'texts'> => ({
  marks: new Array<number>(PLACES_COUNT * MARKS),
  texts: new Array<string | undefined>(PLACES_COUNT * TEXTS),
});

const noPairs = (): DecodedPairs => ({ bytes: EMPTY, marks: [], texts: [], count: 0 });

export class PairList implements Params {
  readonly #bytes: Buffer;
  readonly #marks: number[];
  readonly #texts: (string | undefined)[];
  /** Places that are taken, by pairs that are gone, too. */
  #end: number;
  #size: number;

  constructor({ bytes, marks, texts, count }: DecodedPairs = noPairs()) {
    this.#bytes = bytes;
    this.#marks = marks;
    this.#texts = texts;
    this.#end = count;
    this.#size = count;
  }

  /** The list itself, if it is one. */
  static of(pairs: Pairs): PairList {
    if (pairs instanceof PairList) return pairs;
    const list = new PairList();
    for (const [name, value] of pairs) list.set(name, value);
    return list;
  }

  get size(): number {
    return this.#size;
  }

  get(name: string): string | undefined {
    const place = this.#placeOf(name);
    return place === NO_PLACE ? undefined : this.#valueAt(place);
  }

  has(name: string): boolean {
    return this.#placeOf(name) !== NO_PLACE;
  }

  /** A pair that is there keeps its place. */
  set(name: string, value: string): void {
    const place = this.#placeOf(name);
    if (place === NO_PLACE) {
      const number = numberOfName(name);
      this.#append(number, name, value);
    } else if (this.#valueAt(place) !== value) {
      this.#marks[place * MARKS + START] = REWRITTEN;
      this.#marks[place * MARKS + VALUE] = REWRITTEN;
      this.#texts[place * TEXTS + 1] = value;
    }
  }

  delete(name: string): boolean {
    const place = this.#placeOf(name);
    if (place === NO_PLACE) return false;
    this.#marks[place * MARKS] = GONE;
    this.#size -= 1;
    return true;
  }

  *keys(): Generator<string> {
    for (const [name] of this) yield name;
  }

  *[Symbol.iterator](): Generator<[string, string]> {
    for (let place = 0; place < this.#end; place += 1) {
      if (this.#marks[place * MARKS] !== GONE) yield [this.#nameAt(place), this.#valueAt(place)];
    }
  }

  /** A list of its own with the pairs whose names pass; with all of them where there is no rule. */
  copy(rule?: NameRule): PairList {
    const marks = this.#marks.slice();
    const texts = this.#texts.slice();
    const copied = new PairList({ bytes: this.#bytes, marks, texts, count: this.#end });
    copied.#size = this.#size;
    if (rule === undefined) return copied;
    for (let place = 0; place < this.#end; place += 1) {
      const number = marks[place * MARKS] ?? GONE;
      if (number === GONE) continue;
      if (number >= 0 ? rule.known[number] === true : rule.other(this.#nameAt(place))) continue;
      marks[place * MARKS] = GONE;
      copied.#size -= 1;
    }
    return copied;
  }

  /** Of those that were not decoded: a decoder takes none. */
  get hasNul(): boolean {
    for (let place = 0; place < this.#end; place += 1) {
      const isGiven = this.#marks[place * MARKS + VALUE] === REWRITTEN;
      const isThere = isGiven && this.#marks[place * MARKS] !== GONE;
      if (isThere && this.#valueAt(place).includes('\0')) return true;
    }
    return false;
  }

  /**
   * How the pairs are spread over as few records as their order allows; none is split over two.
   * @throws UsherdError E_PARAMS_TOO_LARGE for a pair longer than a record
   */
  ranges(maxBytes: number): readonly PairRange[] {
    const ranges: PairRange[] = [];
    let from = 0;
    let bytes = 0;
    for (let place = 0; place < this.#end; place += 1) {
      const pairBytes = this.#bytesAt(place);
      if (pairBytes > maxBytes) throw this.#tooLong(place);
      if (bytes + pairBytes > maxBytes) {
        ranges.push({ from, to: place, bytes });
        from = place;
        bytes = 0;
      }
      bytes += pairBytes;
    }
    if (bytes > 0) ranges.push({ from, to: this.#end, bytes });
    return ranges;
  }

  /**
   * Writes the pairs of one range, and returns where they end.
   * @throws UsherdError E_PARAMS_MALFORMED for a char above 255
   */
  write(target: Buffer, start: number, { from, to }: PairRange): number {
    let at = start;
    let runStart = 0;
    let runEnd = 0;
    for (let place = from; place < to; place += 1) {
      const first = place * MARKS;
      if (this.#marks[first] === GONE) continue;
      const pairStart = this.#marks[first + START] ?? REWRITTEN;
      if (pairStart === REWRITTEN || pairStart !== runEnd) {
        at = this.#copyRun(target, at, runStart, runEnd);
        runStart = pairStart;
        runEnd = pairStart;
      }
      if (pairStart === REWRITTEN) {
        at = writeNameValue(target, at, this.#nameAt(place), this.#valueAt(place));
      } else {
        runEnd = this.#marks[first + END] ?? 0;
      }
    }
    return this.#copyRun(target, at, runStart, runEnd);
  }

  /** Pairs that came one behind the other, and leave so. */
  #copyRun(target: Buffer, at: number, start: number, end: number): number {
    return start < end ? at + this.#bytes.copy(target, at, start, end) : at;
  }

  #append(number: number, name: string, value: string): void {
    const place = this.#end;
    this.#end = place + 1;
    this.#size += 1;
    const first = place * MARKS;
    this.#marks[first] = number;
    this.#marks[first + START] = REWRITTEN;
    this.#marks[first + VALUE] = REWRITTEN;
    this.#marks[first + END] = REWRITTEN;
    this.#texts[place * TEXTS] = number === UNKNOWN_NAME ? name : undefined;
    this.#texts[place * TEXTS + 1] = value;
  }

  #placeOf(name: string): number {
    const marks = this.#marks;
    const number = numberOfName(name);
    for (let place = 0; place < this.#end; place += 1) {
      if (marks[place * MARKS] !== number) continue;
      if (number !== UNKNOWN_NAME || this.#texts[place * TEXTS] === name) return place;
    }
    return NO_PLACE;
  }

  #nameAt(place: number): string {
    return (
      KNOWN_NAMES[this.#marks[place * MARKS] ?? UNKNOWN_NAME] ?? this.#texts[place * TEXTS] ?? ''
    );
  }

  #valueAt(place: number): string {
    const first = place * MARKS;
    return (this.#texts[place * TEXTS + 1] ??= this.#bytes.toString(
      'latin1',
      this.#marks[first + VALUE],
      this.#marks[first + END],
    ));
  }

  #bytesAt(place: number): number {
    const first = place * MARKS;
    if (this.#marks[first] === GONE) return 0;
    const start = this.#marks[first + START] ?? REWRITTEN;
    if (start !== REWRITTEN) return (this.#marks[first + END] ?? 0) - start;
    return nameValueLength(this.#nameAt(place), this.#valueAt(place));
  }

  #tooLong(place: number): UsherdError {
    const name = this.#nameAt(place).slice(0, 64);
    return new UsherdError('E_PARAMS_TOO_LARGE', `the pair ${name} does not fit into one record`);
  }
}
