// What comes in pieces is written in blocks.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test, type TestContext } from 'node:test';
import { LIMITS } from '../../../src/limits.js';
import { SPOOL_LIMITS, SpoolBudget } from '../../../src/router/spool-budget.js';
import {
  directoryFor,
  isEmpty,
  patternOf,
  readAll,
  rigOf,
  until,
  writeAll,
} from './spool-support.js';

const LARGE = LIMITS.spoolLargeBlockBytes;
const MEMORY = LIMITS.bodyMemoryMaxBytes;

function countWrites(t: TestContext): number[] {
  const { write } = fs;
  const counts: number[] = [];
  t.mock.method(fs, 'write', ((...args: unknown[]) => {
    if (typeof args[4] === 'number') counts.push(Number(args[3])); // others append, as the test runner does
    (write as (...same: unknown[]) => void)(...args);
  }) as typeof write);
  return counts;
}

test('pieces leave in whole blocks, and what is left at the end', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const counts = countWrites(t);
  const rig = rigOf(directoryFor(t));
  const body = patternOf(2 * LARGE + 100);
  const pieces = Array.from({ length: 66 }, (_, i) => body.subarray(i * 8_000, (i + 1) * 8_000));
  await writeAll(rig, pieces);
  assert.ok((await readAll(rig.spool)).equals(body));
  assert.deepEqual(counts, [LARGE, LARGE, 100]);
  rig.spool.dispose();
});

test('a client that stops keeps no block', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const rig = rigOf(directoryFor(t));
  rig.spool.write(patternOf(MEMORY + 1));
  assert.equal(rig.budget.pendingBytes, LARGE);
  t.mock.timers.tick(LIMITS.spoolFlushMs);
  await until(() => rig.budget.pendingBytes === 0);
  rig.spool.write(patternOf(1));
  assert.equal(rig.budget.pendingBytes, LARGE);
  t.mock.timers.tick(LIMITS.spoolFlushMs);
  await until(() => rig.budget.pendingBytes === 0);
  rig.spool.dispose();
  await until(() => isEmpty(rig.budget));
});

test('where large blocks are short nothing waits, and the producer is paused sooner', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const budget = new SpoolBudget({ ...SPOOL_LIMITS, pendingMaxBytes: LARGE });
  const rig = rigOf(directoryFor(t), { budget });
  assert.equal(rig.spool.write(patternOf(MEMORY + 1)), false);
  assert.ok(budget.pendingBytes <= 2 * LIMITS.spoolBlockBytes);
  await until(() => budget.pendingBytes === 0);
  assert.equal(rig.spool.write(patternOf(1)), false);
  await until(() => budget.pendingBytes === 0);
  rig.spool.end();
  assert.equal((await readAll(rig.spool)).length, MEMORY + 2);
  rig.spool.dispose();
  await until(() => isEmpty(budget));
});
