// Any writing and any reading of a body gives the same bytes, across the border of memory and file and after rewind.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LIMITS } from '../../../src/limits.js';
import { SPOOL_LIMITS } from '../../../src/router/spool-budget.js';
import {
  directoryFor,
  isEmpty,
  readAll,
  readOnce,
  rigOf,
  until,
  writeAll,
} from '../../unit/router/spool-support.js';

const chunks = fc.array(
  fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 65_535 })),
  { maxLength: 30 },
);
/** Enough for large blocks, for some of them, for none. */
const pendingMaxBytes = fc.constantFrom(
  SPOOL_LIMITS.pendingMaxBytes,
  LIMITS.spoolLargeBlockBytes / LIMITS.spoolLargeBlocksShare,
  LIMITS.spoolLargeBlockBytes,
);
const partsOf = (lengths: readonly number[]): Buffer[] =>
  lengths.map((length, i) => Buffer.alloc(length, (length + i) & 0xff));

test('any chunking in, any chunking out, twice, is the same body', async (t) => {
  const directory = directoryFor(t);
  await fc.assert(
    fc.asyncProperty(
      chunks,
      fc.integer({ min: 1_000, max: 400_000 }),
      fc.option(fc.integer({ min: 0, max: 100_000 }), { nil: undefined }),
      pendingMaxBytes,
      async (lengths, maxBytes, expectedBytes, pendingBytes) => {
        const parts = partsOf(lengths);
        const body = Buffer.concat(parts);
        const rig = rigOf(directory, {
          limits: { pendingMaxBytes: pendingBytes },
          ...(expectedBytes === undefined ? {} : { expectedBytes }),
        });
        const following = readAll(rig.spool, maxBytes);
        await writeAll(rig, parts);
        assert.ok((await following).equals(body));
        assert.equal(rig.spool.isAtEnd, true);
        rig.spool.rewind();
        assert.ok((await readAll(rig.spool, maxBytes + 7)).equals(body));
        assert.equal(rig.spool.length, body.length);
        rig.spool.dispose();
        await until(() => isEmpty(rig.budget));
      },
    ),
    { numRuns: 100 },
  );
});

/** What is done to a body before it is read to its end, or given up. */
const step = fc.oneof(
  fc.record({ kind: fc.constant('read' as const), maxBytes: fc.integer({ min: 1, max: 300_000 }) }),
  fc.record({ kind: fc.constant('turn' as const) }),
  fc.record({ kind: fc.constant('rewind' as const), isReading: fc.boolean() }),
);

test('reads, rewinds in the middle of a read and turns of the loop in any order give the same bytes', async (t) => {
  const directory = directoryFor(t);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 30_000, max: 65_535 }), { minLength: 2, maxLength: 20 }),
      fc.array(step, { maxLength: 25 }),
      pendingMaxBytes,
      fc.boolean(),
      async (lengths, steps, pendingBytes, isReadToEnd) => {
        const body = Buffer.concat(partsOf(lengths));
        const rig = rigOf(directory, { limits: { pendingMaxBytes: pendingBytes } });
        await writeAll(rig, partsOf(lengths));
        let position = 0;
        for (const taken of steps) {
          if (taken.kind === 'turn') {
            await new Promise((done) => setImmediate(done));
          } else if (taken.kind === 'rewind') {
            let isForgotten = true;
            if (taken.isReading) {
              rig.spool.read(LIMITS.bodyReadMaxBytes, () => (isForgotten = false));
            }
            const isAnsweredAtOnce = !isForgotten;
            rig.spool.rewind();
            position = 0;
            await new Promise((done) => setImmediate(done));
            assert.equal(isForgotten, !isAnsweredAtOnce);
          } else {
            const bytes = (await readOnce(rig.spool, taken.maxBytes)) ?? Buffer.alloc(0);
            assert.ok(bytes.length <= taken.maxBytes);
            assert.ok(bytes.equals(body.subarray(position, position + bytes.length)));
            position += bytes.length;
            assert.equal(rig.spool.isAtEnd, position === body.length);
          }
        }
        if (isReadToEnd) assert.ok((await readAll(rig.spool)).equals(body.subarray(position)));
        else rig.spool.read(10, () => undefined);
        rig.spool.dispose();
        await until(() => isEmpty(rig.budget));
      },
    ),
    { numRuns: 150 },
  );
});
