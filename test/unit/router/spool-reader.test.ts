// A spool file read one block ahead.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { describe, test, type TestContext } from 'node:test';
import { LIMITS } from '../../../src/limits.js';
import { SPOOL_LIMITS, SpoolBudget } from '../../../src/router/spool-budget.js';
import type { BodySpool } from '../../../src/router/body-spool.js';
import {
  codes,
  directoryFor,
  isEmpty,
  patternOf,
  readAll,
  readOnce,
  rigOf,
  until,
  writeAll,
  type Rig,
} from './spool-support.js';

const READ = LIMITS.bodyReadMaxBytes;
const LARGE = LIMITS.spoolLargeBlockBytes;

const spooled = async (t: TestContext, body: Buffer, budget = new SpoolBudget()): Promise<Rig> => {
  const rig = rigOf(directoryFor(t), { budget });
  await writeAll(rig, [body]);
  await until(() => rig.budget.pendingBytes === 0 || rig.failures.length > 0);
  return rig;
};

/** The very memory, which may be read until the next read. */
const lend = (spool: BodySpool, maxBytes = READ): Promise<Buffer> =>
  new Promise((done, fail) => {
    spool.read(maxBytes, (err, bytes) => {
      if (bytes === null) fail(err ?? new Error('the end'));
      else done(bytes);
    });
  });

/** Calls of fs.read; from the `held`th on they wait until they are let go. */
function holdReads(t: TestContext, held: number): { counts: number[]; letGo: () => void } {
  const { read } = fs;
  const counts: number[] = [];
  const waiting: (() => void)[] = [];
  t.mock.method(fs, 'read', ((...args: unknown[]) => {
    const go = (): void => (read as (...same: unknown[]) => void)(...args);
    counts.push(Number(args[3]));
    if (counts.length < held) go();
    else waiting.push(go);
  }) as typeof read);
  return { counts, letGo: () => waiting.splice(0).forEach((go) => go()) };
}

describe('reading ahead', () => {
  test('the next block is on its way while the last one is used', async (t) => {
    const { counts } = holdReads(t, Infinity);
    const body = patternOf(3 * READ - 5);
    const { spool } = await spooled(t, body);
    assert.ok((await lend(spool)).equals(body.subarray(0, READ)));
    assert.deepEqual(counts, [READ, READ]);
    assert.ok((await readAll(spool)).equals(body.subarray(READ)));
    assert.deepEqual(counts, [READ, READ, READ - 5]);
    spool.dispose();
  });

  test('a block that is used stays as it is, and is filled again after the next read', async (t) => {
    const body = patternOf(4 * READ);
    const { spool } = await spooled(t, body);
    const first = await lend(spool);
    await until(() => first.equals(body.subarray(0, READ)));
    const second = await lend(spool);
    assert.ok(second.equals(body.subarray(READ, 2 * READ)));
    assert.notEqual(second.buffer, first.buffer);
    const third = await lend(spool);
    assert.equal(third.buffer, first.buffer);
    assert.ok(third.equals(body.subarray(2 * READ, 3 * READ)));
    spool.dispose();
  });

  test('a block that was used when the body was rewound or given up is never filled again', async (t) => {
    const body = patternOf(4 * READ);
    const rig = await spooled(t, body);
    const first = await lend(rig.spool);
    rig.spool.rewind();
    const second = await lend(rig.spool);
    rig.spool.dispose();
    await until(() => isEmpty(rig.budget));
    const blocks = Array.from({ length: LIMITS.spoolSpareBlocksMaxCount }, () =>
      rig.budget.takeLargeBlock(),
    );
    for (const block of blocks) {
      assert.notEqual(block?.buffer, first.buffer);
      assert.notEqual(block?.buffer, second.buffer);
    }
  });

  test('what was used up to the end is for others, and the body can be read again', async (t) => {
    const body = patternOf(2 * READ - 5);
    const rig = await spooled(t, body);
    assert.ok((await readAll(rig.spool)).equals(body));
    assert.equal(rig.budget.pendingBytes > 0, true);
    rig.spool.release();
    assert.equal(rig.budget.pendingBytes, 0);
    rig.spool.rewind();
    assert.ok((await readAll(rig.spool)).equals(body));
    rig.spool.dispose();
    await until(() => isEmpty(rig.budget));
  });

  test('a block on its way when the body is rewound is not taken for another one', async (t) => {
    const { letGo } = holdReads(t, 2);
    const body = patternOf(4 * READ);
    const rig = await spooled(t, body);
    await lend(rig.spool, 10);
    rig.spool.rewind();
    const all = readAll(rig.spool, 100_000);
    const timer = setInterval(letGo);
    assert.ok((await all).equals(body));
    clearInterval(timer);
    rig.spool.dispose();
    await until(() => isEmpty(rig.budget));
  });

  test('without large blocks a body is read in one small block, which is nobody else’s', async (t) => {
    const { counts } = holdReads(t, Infinity);
    const budget = new SpoolBudget({ ...SPOOL_LIMITS, pendingMaxBytes: LARGE });
    const body = patternOf(200_000);
    const rig = await spooled(t, body, budget);
    const first = await lend(rig.spool);
    assert.ok(first.equals(body.subarray(0, LIMITS.spoolBlockBytes)));
    assert.equal(counts.length, 1);
    assert.equal(budget.pendingBytes, 0);
    assert.ok((await readAll(rig.spool)).equals(body.subarray(first.length)));
    rig.spool.dispose();
    await until(() => isEmpty(budget));
  });
});

describe('a disk that cannot be read', () => {
  for (const [what, err, count] of [
    ['an error', Object.assign(new Error('i/o error'), { code: 'EIO' }), 0],
    ['nothing where something was written', null, 0],
  ] as const) {
    test(`${what} ahead is told when everything before it was read`, async (t) => {
      const { read } = fs;
      let readsCount = 0;
      t.mock.method(fs, 'read', ((...args: Parameters<typeof read>) => {
        readsCount += 1;
        const done = args.at(-1) as (failure: Error | null, bytesCount: number) => void;
        if (readsCount === 1) read(...args);
        else setImmediate(() => done(err, count));
      }) as typeof read);
      const body = patternOf(3 * READ);
      const rig = await spooled(t, body);
      assert.ok((await readOnce(rig.spool, 10))?.equals(body.subarray(0, 10)));
      await until(() => readsCount === 2);
      assert.ok((await readOnce(rig.spool, READ))?.equals(body.subarray(10, READ)));
      assert.deepEqual(codes(rig.failures), []);
      await assert.rejects(readOnce(rig.spool, READ), { code: 'E_SPOOL_FULL' });
      assert.deepEqual(codes(rig.failures), ['E_SPOOL_FULL']);
      await until(() => isEmpty(rig.budget));
    });
  }
});
