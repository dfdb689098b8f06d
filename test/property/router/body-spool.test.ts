// Any writing and any reading of a body gives the same bytes, across the border of memory and file and after rewind.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  directoryFor,
  isEmpty,
  readAll,
  rigOf,
  until,
  writeAll,
} from '../../unit/router/spool-support.js';

test('any chunking in, any chunking out, twice, is the same body', async (t) => {
  const directory = directoryFor(t);
  const chunks = fc.array(
    fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 65_535 })),
    { maxLength: 30 },
  );
  await fc.assert(
    fc.asyncProperty(
      chunks,
      fc.integer({ min: 1_000, max: 200_000 }),
      fc.option(fc.integer({ min: 0, max: 100_000 }), { nil: undefined }),
      fc.nat(255),
      async (lengths, maxBytes, expectedBytes, seed) => {
        const parts = lengths.map((length, i) => Buffer.alloc(length, (seed + i) & 0xff));
        const body = Buffer.concat(parts);
        const rig = rigOf(directory, expectedBytes === undefined ? {} : { expectedBytes });
        const following = readAll(rig.spool, maxBytes);
        await writeAll(rig, parts);
        assert.ok((await following).equals(body));
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
