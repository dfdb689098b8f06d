// Figures of processes: one that has ended meanwhile costs nobody else's.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { UsageReader } from '../../../src/spawner/usage.js';

test('a process that has ended is left out, the others have their figures', async () => {
  const gone = spawnSync('/bin/true').pid;
  const usages = await new UsageReader(() => 0).read([gone, process.pid]);
  assert.deepEqual([...usages.keys()], [process.pid]);
});
