// What holds for params whatever comes: splits change nothing, junk is refused by a known code.
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';

import fc from 'fast-check';

import { isUsherdError } from '../../../src/errors.js';
import {
  encodeRequestHead,
  type NameValueLimits,
  nameValueLength,
  ParamsDecoder,
} from '../../../src/fcgi-protocol/index.js';
import { twinConcat, twinDecodePairs, twinEncodePairs } from '../../conformance/twin-codec.js';
import { anyCuts, anyParams, cut } from '../../support/arbitrary-records.js';
import { chunksOf } from '../../support/bytes.js';

const SMALL: NameValueLimits = {
  totalMaxBytes: 400,
  pairMaxCount: 8,
  nameMaxBytes: 30,
  valueMaxBytes: 200,
};

type Outcome = string | [string, string][];

/** The pairs, or the code of the refusal; anything else that is thrown fails the test. */
function outcomeOf(contents: readonly Buffer[], limits?: NameValueLimits): Outcome {
  const decoder = new ParamsDecoder(limits);
  try {
    for (const content of contents) decoder.push(content);
    return [...decoder.end()];
  } catch (err) {
    if (!isUsherdError(err)) throw err;
    return err.code;
  }
}

const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.array(fc.nat(4), { maxLength: 60 }).map((bytes) => Uint8Array.from(bytes)),
  fc
    .tuple(anyParams, fc.nat(40), fc.uint8Array({ maxLength: 3 }))
    .map(([pairs, place, junk]) =>
      twinConcat([twinEncodePairs(pairs.slice(0, 4)).slice(0, -place), junk]),
    ),
);

test('items 17 and 18: any split of the same stream gives the same pairs', () => {
  fc.assert(
    fc.property(anyParams, anyCuts, (pairs, cuts) => {
      const stream = twinEncodePairs(pairs);
      assert.deepEqual(outcomeOf(cut(stream, cuts)), pairs);
      assert.deepEqual(outcomeOf(chunksOf(stream, 1)), pairs);
    }),
  );
});

test('items 19 and 22: any bytes give the same pairs, or are refused, in any split', () => {
  fc.assert(
    fc.property(anyBytes, anyCuts, (bytes, cuts) => {
      const whole = outcomeOf([Buffer.from(bytes)]);
      assert.deepEqual(outcomeOf(cut(bytes, cuts)), whole);
      assert.deepEqual(outcomeOf(chunksOf(bytes, 1)), whole);
      if (typeof whole === 'string') assert.match(whole, /^E_PARAMS_/);
    }),
    { numRuns: 1_000 },
  );
});

test('what is taken is what the twin reads, without empty names', () => {
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      const outcome = outcomeOf([Buffer.from(bytes)]);
      if (typeof outcome === 'string') return;
      const named = twinDecodePairs(bytes).filter(([name]) => name !== '');
      assert.deepEqual(outcome, named);
    }),
    { numRuns: 1_000 },
  );
});

test('item 20: nothing is taken that is over a limit', () => {
  fc.assert(
    fc.property(anyBytes, anyCuts, (bytes, cuts) => {
      const outcome = outcomeOf(cut(bytes, cuts), SMALL);
      if (typeof outcome === 'string') return;
      assert.ok(bytes.length <= SMALL.totalMaxBytes);
      assert.ok(outcome.length <= SMALL.pairMaxCount);
      for (const [name, value] of outcome) {
        assert.ok(name.length <= SMALL.nameMaxBytes && value.length <= SMALL.valueMaxBytes);
      }
    }),
    { numRuns: 1_000 },
  );
});

test('item 24: pairs come back from the encoder in their order, and their length was known', () => {
  fc.assert(
    fc.property(anyParams, (pairs) => {
      const head = encodeRequestHead(1, {
        role: 1,
        flags: 0,
        params: new Map(pairs),
        isBodiless: false,
      });
      const contentBytes = pairs.reduce((sum, pair) => sum + nameValueLength(...pair), 0);
      fc.pre(contentBytes > 0);
      assert.equal(head.length, 16 + 8 + contentBytes + 8);
      assert.deepEqual(outcomeOf([head.subarray(24, head.length - 8)]), pairs);
    }),
  );
});
