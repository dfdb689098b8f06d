// Wire checklist 88: mutated streams on both sides of a whole router. `npm run fuzz -- router ROUNDS SEED` is the long form.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RouterFuzz, type Figures } from '../../fuzz/router-fuzz.js';
import { MIB } from '../../../src/limits.js';

const ROUNDS = 800;
const SEED = Date.now() % 2 ** 32;

test(
  `item 88: ${ROUNDS} mutated requests and answers, seed ${SEED}`,
  { timeout: 600_000 },
  async () => {
    const rejected: unknown[] = [];
    const note = (reason: unknown): number => rejected.push(reason);
    process.on('unhandledRejection', note);
    const rests: Figures[] = [];
    const fuzz = await RouterFuzz.start({
      rounds: ROUNDS,
      seed: SEED,
      restEvery: ROUNDS / 2,
      // So short a run has not everything compiled yet when it is first looked at.
      heapGrowthMaxBytes: 16 * MIB,
      onRest: (figures) => rests.push(figures),
    });
    try {
      const { requests, protocolErrors } = await fuzz.run();
      assert.ok(requests > ROUNDS / 2);
      assert.ok(protocolErrors > 0);
    } finally {
      await fuzz.stop();
      process.off('unhandledRejection', note);
    }
    assert.equal(rests.length, 2);
    assert.deepEqual(rejected, []);
  },
);
