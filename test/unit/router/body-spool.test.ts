// Request bodies that wait in memory and on disk.
import assert from 'node:assert/strict';
import fs, { readdirSync, readlinkSync } from 'node:fs';
import { describe, test } from 'node:test';
import { LIMITS } from '../../../src/limits.js';
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
const LARGE = LIMITS.spoolLargeBlockBytes;

describe('in memory', () => {
  test('a small body is answered inside the call, with views of one buffer', (t) => {
    const { spool } = rigOf(directoryFor(t));
    const source = Buffer.from('hello ');
    spool.write(source);
    source.fill(0);
    spool.write(Buffer.from('world'));
    spool.end();
    const seen: (Buffer | null)[] = [];
    spool.read(8, (_err, bytes) => seen.push(bytes));
    spool.read(100, (_err, bytes) => seen.push(bytes));
    spool.read(100, (_err, bytes) => seen.push(bytes));
    assert.deepEqual(seen.map(String), ['hello wo', 'rld', 'null']);
    assert.equal(seen[0]?.buffer, seen[1]?.buffer);
    assert.equal(spool.isOnDisk, false);
  });

  test('an empty body ends at once', async (t) => {
    const { spool, budget } = rigOf(directoryFor(t));
    spool.end();
    assert.equal(await readOnce(spool, 10), null);
    assert.equal(budget.memoryBytes, 0);
  });

  test('a body at the limit stays, one byte more goes to disk', (t) => {
    const directory = directoryFor(t);
    const at = rigOf(directory).spool;
    at.write(patternOf(MEMORY));
    assert.equal(at.isOnDisk, false);
    at.write(Buffer.from('x'));
    assert.equal(at.isOnDisk, true);
    at.dispose();
  });

  test('a hundred thousand bytes one at a time cost one block of memory', async (t) => {
    const rig = rigOf(directoryFor(t));
    for (let i = 0; i < MEMORY; i += 1) rig.spool.write(Buffer.from([i & 0xff]));
    assert.equal(rig.budget.memoryBytes, MEMORY);
    await writeAll(
      rig,
      Array.from({ length: 34_464 }, () => Buffer.from([1])),
    );
    assert.equal((await readAll(rig.spool)).length, 100_000);
    rig.spool.dispose();
  });

  test('an announced length is allocated exactly', (t) => {
    const { spool, budget } = rigOf(directoryFor(t), { expectedBytes: 100 });
    spool.write(Buffer.alloc(40));
    spool.write(Buffer.alloc(60));
    assert.equal(budget.memoryBytes, 100);
    spool.dispose();
    assert.ok(isEmpty(budget));
  });

  test('without room in the common memory a body goes to disk instead', async (t) => {
    const rig = rigOf(directoryFor(t), { limits: { memoryMaxBytes: 4_096 } });
    await writeAll(rig, [patternOf(4_096), patternOf(1)]);
    assert.equal(rig.spool.isOnDisk, true);
    assert.equal(rig.budget.memoryBytes, 0);
    assert.deepEqual(await readAll(rig.spool), Buffer.concat([patternOf(4_096), patternOf(1)]));
    rig.spool.dispose();
  });
});

describe('blocks', () => {
  test('are filled again, and nobody sees what another body left in them', async (t) => {
    const directory = directoryFor(t);
    const budget = new SpoolBudget();
    const block = budget.takeBlock();
    assert(block !== undefined);
    budget.giveBlock(block.fill('s'));
    assert.equal(budget.takeBlock(), block);
    budget.giveBlock(block);
    const { spool } = rigOf(directory, { budget });
    const body = patternOf(MEMORY + 3);
    spool.write(body.subarray(0, 1));
    spool.write(body.subarray(1));
    spool.end();
    assert.deepEqual(await readAll(spool), body);
    assert(!block.equals(Buffer.alloc(LARGE, 's')), 'the block was filled again');
    spool.dispose();
  });

  test('are large while few are out, and small beside those', () => {
    const budget = new SpoolBudget();
    const largeCount = (SPOOL_LIMITS.pendingMaxBytes * LIMITS.spoolLargeBlocksShare) / LARGE;
    for (let i = 0; i < largeCount; i += 1) assert.equal(budget.takeBlock()?.length, LARGE);
    assert.equal(budget.takeLargeBlock(), undefined);
    const smallCount = (SPOOL_LIMITS.pendingMaxBytes - largeCount * LARGE) / BLOCK;
    for (let i = 0; i < smallCount; i += 1) assert.equal(budget.takeBlock()?.length, BLOCK);
    assert.equal(budget.takeBlock(), undefined);
    assert.equal(budget.pendingBytes, SPOOL_LIMITS.pendingMaxBytes);
  });

  test('that lie ready are few, of each size', () => {
    const budget = new SpoolBudget();
    const takeMany = (count: number): (Buffer | undefined)[] =>
      Array.from({ length: count }, () => budget.takeBlock());
    const largeCount = (SPOOL_LIMITS.pendingMaxBytes * LIMITS.spoolLargeBlocksShare) / LARGE;
    for (const count of [largeCount, LIMITS.spoolSpareBlocksMaxCount + 5]) {
      const first = takeMany(count);
      for (const block of first) if (block !== undefined) budget.giveBlock(block);
      const again = new Set(takeMany(count));
      const keptCount = first.filter((block) => again.has(block)).length;
      assert.equal(keptCount, LIMITS.spoolSpareBlocksMaxCount);
    }
  });
});

describe('on disk', () => {
  test('a body comes back whole, again after rewind, in reads of any size', async (t) => {
    const rig = rigOf(directoryFor(t));
    const body = patternOf(1_000_003);
    const parts = Array.from({ length: 100 }, (_, i) =>
      body.subarray(i * 10_001, (i + 1) * 10_001),
    );
    await writeAll(rig, parts);
    assert.ok((await readAll(rig.spool)).equals(body));
    rig.spool.rewind();
    assert.ok((await readAll(rig.spool, 777)).equals(body));
    rig.spool.dispose();
  });

  test('the file has no name, and nobody else could have opened it', async (t) => {
    const directory = directoryFor(t);
    const opened: unknown[][] = [];
    const { open } = fs;
    t.mock.method(fs, 'open', ((...args: Parameters<typeof open>) => {
      opened.push(args);
      open(...args);
    }) as typeof open);
    const rig = rigOf(directory);
    await writeAll(rig, [patternOf(BLOCK), patternOf(BLOCK)]);
    await readAll(rig.spool);
    assert.deepEqual(readdirSync(directory), []);
    assert.deepEqual(
      opened.map((args) => args.slice(1, 3)),
      [['wx+', 0o600]],
    );
    const targets = readdirSync('/proc/self/fd').map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return '';
      }
    });
    assert.equal(targets.filter((t2) => t2.startsWith(directory)).length, 1);
    rig.spool.dispose();
    await until(() => isEmpty(rig.budget));
  });

  test('a producer that never pauses is stopped by a bound', (t) => {
    const rig = rigOf(directoryFor(t));
    const answers: boolean[] = [];
    for (let i = 0; i < 10; i += 1) answers.push(rig.spool.write(patternOf(LARGE)));
    assert.deepEqual(answers.slice(0, 4), [true, false, false, false]);
    assert.deepEqual(codes(rig.failures), ['E_SPOOL_FULL']);
    assert.ok(rig.budget.pendingBytes <= LIMITS.spoolPendingMaxBytes);
  });

  test('a paused producer loses nothing with what was already read', async (t) => {
    const rig = rigOf(directoryFor(t));
    rig.spool.write(patternOf(2 * LARGE));
    assert.equal(rig.spool.write(patternOf(1)), false);
    const drained = rig.drained();
    rig.spool.write(patternOf(1_000));
    await drained;
    rig.spool.end();
    assert.equal((await readAll(rig.spool)).length, 2 * LARGE + 1_001);
    rig.spool.dispose();
  });

  test('a reader may follow the writer, and waits for it', async (t) => {
    const rig = rigOf(directoryFor(t));
    const first = readOnce(rig.spool, 10);
    rig.spool.write(Buffer.from('abc'));
    assert.equal(String(await first), 'abc');
    const second = readOnce(rig.spool, BLOCK);
    rig.spool.write(patternOf(MEMORY));
    assert.ok((await second)?.equals(patternOf(MEMORY).subarray(0, (await second)?.length)));
    const last = readAll(rig.spool);
    rig.spool.end();
    assert.equal((await last).length + ((await second)?.length ?? 0), MEMORY);
    rig.spool.dispose();
  });

  test('rewind while a read is under way forgets that read', async (t) => {
    const rig = rigOf(directoryFor(t));
    const body = patternOf(3 * BLOCK);
    await writeAll(rig, [body.subarray(0, BLOCK), body.subarray(BLOCK)]);
    let isForgotten = true;
    rig.spool.read(100, () => (isForgotten = false));
    rig.spool.rewind();
    assert.ok((await readAll(rig.spool)).equals(body));
    assert.equal(isForgotten, true);
    rig.spool.dispose();
  });

  test('memory stays flat for a body far larger than it', async (t) => {
    const rig = rigOf(directoryFor(t));
    const part = patternOf(BLOCK);
    let mostBytes = 0;
    for (let i = 0; i < 1_024; i += 1) {
      if (!rig.spool.write(part)) await rig.drained();
      mostBytes = Math.max(mostBytes, rig.budget.pendingBytes + rig.budget.memoryBytes);
    }
    rig.spool.end();
    assert.ok(mostBytes <= LIMITS.spoolPendingMaxBytes);
    let readBytes = 0;
    for (;;) {
      const bytes = await readOnce(rig.spool, BLOCK);
      if (bytes === null) break;
      readBytes += bytes.length;
    }
    assert.equal(readBytes, 64 * 1024 * 1024);
    rig.spool.dispose();
    await until(() => isEmpty(rig.budget));
  });
});
