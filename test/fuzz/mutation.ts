// Bytes into slightly other bytes, the same ones for the same seed: what a fuzzer feeds.

/** A small generator of its own, so that a finding can be had again (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number from 0 up to and without `below`. */
  below(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  }

  one<T>(list: readonly T[]): T {
    const found = list[this.below(list.length)];
    if (found === undefined) throw new Error('nothing to choose from');
    return found;
  }
}

const INPUT_MAX_BYTES = 96 * 1024;

/** Numbers at which lengths and counters turn over. */
const EDGES = [0, 1, 0x7f, 0x80, 0xff];
/** How often a piece comes again; seldom so often that a limit is reached. */
const TIMES = [2, 3, 3, 7, 40, 2_000];

type Step = (input: Buffer, random: Random, dictionary: readonly Buffer[]) => Buffer;

const splice = (input: Buffer, at: number, removed: number, put: Buffer): Buffer =>
  Buffer.concat([input.subarray(0, at), put, input.subarray(at + removed)]);

const piece = (input: Buffer, random: Random): Buffer => {
  const at = random.below(input.length + 1);
  return input.subarray(at, at + 1 + random.below(64));
};

const STEPS: readonly Step[] = [
  // one bit, one edge, one random byte
  (input, random) => {
    const at = random.below(input.length + 1);
    return splice(input, at, 1, Buffer.of((input[at] ?? 0) ^ (1 << random.below(8))));
  },
  (input, random) => splice(input, random.below(input.length + 1), 1, Buffer.of(random.one(EDGES))),
  (input, random) => splice(input, random.below(input.length + 1), 1, Buffer.of(random.below(256))),
  // words that mean something
  (input, random, words) => splice(input, random.below(input.length + 1), 0, random.one(words)),
  (input, random, words) => {
    const word = random.one(words);
    return splice(input, random.below(input.length + 1), word.length, word);
  },
  // pieces that go, move, or come again
  (input, random) =>
    splice(input, random.below(input.length + 1), 1 + random.below(32), Buffer.alloc(0)),
  (input, random) => splice(input, random.below(input.length + 1), 0, piece(input, random)),
  (input, random) => {
    const again = piece(input, random);
    const times = Math.min(random.one(TIMES), Math.floor(INPUT_MAX_BYTES / (again.length + 1)));
    const many = Buffer.concat(Array.from({ length: times }, () => again));
    return splice(input, random.below(input.length + 1), 0, many);
  },
  (input, random) => input.subarray(0, random.below(input.length + 1)),
];

/** One to four steps away from a seed, or from two. */
export function mutate(
  seeds: readonly Buffer[],
  dictionary: readonly Buffer[],
  random: Random,
): Buffer {
  let input = random.one(seeds);
  if (random.below(8) === 0) {
    const other = random.one(seeds);
    input = Buffer.concat([input.subarray(0, random.below(input.length + 1)), other]);
  }
  for (let steps = 1 + random.below(4); steps > 0; steps -= 1) {
    input = random.one(STEPS)(input, random, dictionary);
  }
  return input.subarray(0, INPUT_MAX_BYTES);
}

/** The same bytes as they might come in. Each chunk is memory of its own. */
export function chunked(input: Buffer, random: Random): Buffer[] {
  const most = random.one([1, 7, 300, INPUT_MAX_BYTES]);
  const chunks: Buffer[] = [];
  for (let at = 0; at < input.length;) {
    const size = most === 1 && input.length > 2_000 ? 1_000 : 1 + random.below(most);
    chunks.push(Buffer.from(input.subarray(at, at + size)));
    at += size;
  }
  return chunks;
}
