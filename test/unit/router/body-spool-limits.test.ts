// Request bodies over a limit, on a failing disk, and given up.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { describe, test } from 'node:test';
import { LIMITS } from '../../../src/limits.js';
import { BodyStream } from '../../../src/router/body-stream.js';
import { SPOOL_LIMITS, SpoolBudget } from '../../../src/router/spool-budget.js';
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
} from './spool-support.js';

const MEMORY = LIMITS.bodyMemoryMaxBytes;
const BLOCK = LIMITS.spoolBlockBytes;

describe('limits', () => {
  test('a body at max_body passes, one byte more is too large, said once', (t) => {
    const rig = rigOf(directoryFor(t), { maxBodyBytes: 10 });
    rig.spool.write(Buffer.alloc(10));
    assert.deepEqual(rig.failures, []);
    assert.equal(rig.spool.write(Buffer.alloc(1)), true);
    rig.spool.write(Buffer.alloc(100));
    assert.deepEqual(codes(rig.failures), ['E_BODY_TOO_LARGE']);
    assert.ok(isEmpty(rig.budget));
  });

  test('a reader is told of the failure', async (t) => {
    const rig = rigOf(directoryFor(t), { maxBodyBytes: 10 });
    const reading = assert.rejects(readOnce(rig.spool, 10), { code: 'E_BODY_TOO_LARGE' });
    rig.spool.write(Buffer.alloc(11));
    await reading;
    await assert.rejects(readOnce(rig.spool, 10), { code: 'E_BODY_TOO_LARGE' });
  });

  test('disk per user is counted over all bodies of that user, and of no other', async (t) => {
    const directory = directoryFor(t);
    const budget = new SpoolBudget({ ...SPOOL_LIMITS, userDiskMaxBytes: 3 * BLOCK });
    const one = rigOf(directory, { budget });
    const two = rigOf(directory, { budget });
    const other = rigOf(directory, { budget, user: 'bob' });
    await writeAll(one, [patternOf(BLOCK), patternOf(BLOCK)]);
    await writeAll(two, [patternOf(BLOCK), patternOf(1)]);
    await writeAll(other, [patternOf(BLOCK), patternOf(BLOCK)]);
    assert.deepEqual(codes(one.failures), []);
    assert.deepEqual(codes(two.failures), ['E_SPOOL_FULL']);
    assert.deepEqual(codes(other.failures), []);
    for (const rig of [one, two, other]) rig.spool.dispose();
    await until(() => isEmpty(budget));
    assert.equal(budget.userDiskBytes('bob'), 0);
  });

  test('a user whose body is not needed any more may have another at once, whatever its file takes to go', async (t) => {
    const directory = directoryFor(t);
    const budget = new SpoolBudget({ ...SPOOL_LIMITS, userDiskMaxBytes: 3 * BLOCK });
    const one = rigOf(directory, { budget });
    await writeAll(one, [patternOf(BLOCK), patternOf(BLOCK)]);
    one.spool.dispose();
    assert.equal(budget.userDiskBytes('alice'), 0);
    assert.equal(budget.diskBytes, 2 * BLOCK, 'the disk still has it');
    const two = rigOf(directory, { budget });
    await writeAll(two, [patternOf(BLOCK), patternOf(BLOCK)]);
    assert.deepEqual(codes(two.failures), []);
    two.spool.dispose();
    await until(() => isEmpty(budget));
  });

  test('memory of one user is his share, and what is over it goes to disk', async (t) => {
    const directory = directoryFor(t);
    const budget = new SpoolBudget({ ...SPOOL_LIMITS, userMemoryMaxBytes: MEMORY });
    const rigs = ['alice', 'alice', 'bob'].map((user) => rigOf(directory, { budget, user }));
    for (const rig of rigs) await writeAll(rig, [patternOf(MEMORY)]);
    assert.deepEqual(
      rigs.map(({ spool }) => spool.isOnDisk),
      [false, true, false],
    );
    for (const rig of rigs) rig.spool.dispose();
    await until(() => isEmpty(budget));
    assert.ok(budget.takeMemory('alice', MEMORY), 'all was given back');
  });

  test('a streamed body of a user who has all his memory fails, and no other', (t) => {
    const budget = new SpoolBudget({ ...SPOOL_LIMITS, userMemoryMaxBytes: 10 });
    const failed: string[] = [];
    const streamOf = (user: string): BodyStream =>
      new BodyStream({
        ...{ user, budget, announcedBytes: undefined, maxBodyBytes: 0 },
        onDrain: () => undefined,
        onFailed: () => failed.push(user),
      });
    const streams = ['alice', 'alice', 'bob'].map(streamOf);
    t.after(() => streams.forEach((stream) => stream.dispose()));
    for (const stream of streams) stream.write(Buffer.alloc(10));
    assert.deepEqual(failed, ['alice']);
  });

  test('spool files of one user are his share', async (t) => {
    const directory = directoryFor(t);
    const budget = new SpoolBudget({ ...SPOOL_LIMITS, userFilesMaxCount: 1 });
    const rigs = ['alice', 'alice', 'bob'].map((user) => rigOf(directory, { budget, user }));
    for (const rig of rigs) await writeAll(rig, [patternOf(BLOCK), patternOf(1)]);
    assert.deepEqual(
      rigs.map(({ failures }) => codes(failures)),
      [[], ['E_SPOOL_FULL'], []],
    );
    for (const rig of rigs) rig.spool.dispose();
    await until(() => isEmpty(budget));
    assert.ok(budget.takeFile('alice'), 'all was given back');
  });

  for (const [what, limits] of [
    ['disk in all', { diskMaxBytes: MEMORY }],
    ['open files', { filesMaxCount: 0 }],
    ['bytes on their way to disk', { pendingMaxBytes: 0 }],
  ] as const) {
    test(`${what} over the limit fails the body alone and gives everything back`, async (t) => {
      const rig = rigOf(directoryFor(t), { limits });
      rig.spool.write(patternOf(MEMORY));
      rig.spool.write(patternOf(1));
      assert.deepEqual(codes(rig.failures), ['E_SPOOL_FULL']);
      await until(() => isEmpty(rig.budget));
    });
  }
});

describe('when the disk fails', () => {
  const noSpace = Object.assign(new Error('no space'), { code: 'ENOSPC' });

  test('a full disk is a full spool', async (t) => {
    t.mock.method(fs, 'write', ((...args: unknown[]) => {
      const done = args.at(-1) as (err: Error) => void;
      setImmediate(() => done(noSpace));
    }) as typeof fs.write);
    const rig = rigOf(directoryFor(t));
    const reading = assert.rejects(readAll(rig.spool), { code: 'E_SPOOL_FULL' });
    rig.spool.write(patternOf(BLOCK));
    rig.spool.write(patternOf(BLOCK));
    await reading;
    assert.deepEqual(codes(rig.failures), ['E_SPOOL_FULL']);
    assert.equal(rig.failures[0]?.cause, noSpace);
    await until(() => isEmpty(rig.budget));
  });

  test('a short write is continued', async (t) => {
    const { write } = fs;
    t.mock.method(fs, 'write', ((...args: unknown[]) => {
      args[3] = Math.ceil(Number(args[3]) / 3);
      (write as (...same: unknown[]) => void)(...args);
    }) as typeof fs.write);
    const rig = rigOf(directoryFor(t));
    await writeAll(rig, [patternOf(BLOCK), patternOf(BLOCK)]);
    assert.ok(
      (await readAll(rig.spool)).equals(Buffer.concat([patternOf(BLOCK), patternOf(BLOCK)])),
    );
    rig.spool.dispose();
  });

  test('a missing directory is a full spool, and no file is left', async () => {
    const rig = rigOf('/nonexistent/spool');
    rig.spool.write(patternOf(BLOCK));
    rig.spool.write(patternOf(BLOCK));
    await until(() => rig.failures.length > 0);
    assert.deepEqual(codes(rig.failures), ['E_SPOOL_FULL']);
    const words = 'a file cannot be written in /nonexistent/spool: ENOENT';
    assert.equal(rig.failures[0]?.message, words);
    await until(() => isEmpty(rig.budget));
  });
});

describe('dispose', () => {
  test('gives everything back once, whatever is under way, and calls nobody any more', async (t) => {
    const rig = rigOf(directoryFor(t));
    rig.spool.write(patternOf(BLOCK));
    rig.spool.write(patternOf(BLOCK));
    rig.spool.read(10, () => assert.fail('a read came back after dispose'));
    rig.spool.dispose();
    rig.spool.dispose();
    assert.equal(rig.spool.write(patternOf(10)), true);
    await until(() => isEmpty(rig.budget));
    assert.deepEqual(rig.failures, []);
  });

  test('while a file read is under way closes the descriptor after it', async (t) => {
    const rig = rigOf(directoryFor(t));
    await writeAll(rig, [patternOf(BLOCK), patternOf(BLOCK)]);
    rig.spool.read(10, () => assert.fail('a read came back after dispose'));
    rig.spool.dispose();
    assert.equal(rig.budget.filesCount, 1);
    await until(() => isEmpty(rig.budget));
  });
});
