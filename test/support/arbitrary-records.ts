// fast-check arbitraries of records, params and chunkings, shared by the codec's property tests.
import type { Buffer } from 'node:buffer';

import fc from 'fast-check';

import { type TwinPair, type TwinRecord } from '../conformance/twin-codec.js';
import { chunksAt } from './bytes.js';

const content = fc.oneof(
  { weight: 8, arbitrary: fc.uint8Array({ maxLength: 40 }) },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 2_000 }) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom(8_191, 8_192, 65_535), fc.nat(255))
      .map(([length, byte]) => new Uint8Array(length).fill(byte)),
  },
);

export const anyRecord: fc.Arbitrary<TwinRecord> = fc.record({
  type: fc.nat(255),
  requestId: fc.nat(65_535),
  content,
  paddingBytes: fc.oneof(fc.constant(0), fc.nat(255)),
});

/** Places to cut at, as parts of the whole, so that they shrink and fit any length. */
export const anyCuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 20 });

export function cut(whole: Uint8Array, cuts: readonly number[]): Buffer[] {
  return chunksAt(
    whole,
    cuts.map((part) => Math.floor(part * whole.length)),
  );
}

/** Latin1 text without NUL. */
const text = (maxLength: number): fc.Arbitrary<string> =>
  fc
    .array(fc.integer({ min: 1, max: 255 }), { maxLength })
    .map((codes) => String.fromCharCode(...codes));

/** Params with names of their own, in any order, within the limits of the house. */
export const anyParams: fc.Arbitrary<TwinPair[]> = fc.uniqueArray(
  fc.tuple(
    fc.oneof(text(20), text(200), fc.constantFrom('__proto__', 'constructor')).map((t) => t || 'N'),
    fc.oneof(text(20), text(300)),
  ),
  { maxLength: 40, selector: ([name]) => name },
);
