// The short run of test/fuzz: everything that was ever kept, and some rounds of what is near to it, the same ones each time.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readCorpus } from '../../fuzz/corpus.js';
import { chunked, mutate, Random } from '../../fuzz/mutation.js';
import { outcomeOf, TARGETS } from '../../fuzz/targets.js';

const SEED = 20_250;
const ROUNDS = 400;

for (const target of TARGETS) {
  describe(`bytes for ${target.name}`, () => {
    const corpus = readCorpus(target.name);

    test('that are kept are taken or refused, in one piece and in many', () => {
      assert.ok(corpus.length > 0);
      const random = new Random(SEED);
      for (const input of corpus) {
        outcomeOf(target, [input]);
        outcomeOf(target, chunked(input, random));
      }
    });

    test('that are near to them are taken or refused', () => {
      const random = new Random(SEED);
      const dictionary = target.dictionary.map((word) => Buffer.from(word, 'latin1'));
      for (let round = 0; round < ROUNDS; round += 1) {
        const input = mutate(corpus, dictionary, random);
        try {
          outcomeOf(target, chunked(input, random));
        } catch (err) {
          throw new Error(`round ${round}: ${input.toString('base64').slice(0, 4_000)}`, {
            cause: err,
          });
        }
      }
    });
  });
}
