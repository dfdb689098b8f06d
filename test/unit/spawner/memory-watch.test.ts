// Who is told of memory: only workers above the limit of their own application, and nobody looks where there is none.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryWatch } from '../../../src/spawner/memory-watch.js';
import type { RunningWorker } from '../../../src/spawner/workers.js';

const workerOf = (pid: number, recycleMemoryBytes: number, isRunning = true): RunningWorker =>
  ({
    process: { pid, isRunning },
    blueprint: { facts: { limits: { recycleMemoryBytes } } },
  }) as unknown as RunningWorker;

function watched(workers: readonly RunningWorker[], rssBytes: number) {
  const grown: number[] = [];
  let reads = 0;
  const watch = new MemoryWatch({
    running: () => workers,
    read: (pids) => {
      reads += 1;
      return Promise.resolve(new Map(pids.map((pid) => [pid, { rssBytes }])));
    },
    onGrown: ({ process }) => grown.push(process.pid),
  });
  return { watch, grown, reads: () => reads };
}

test('a worker at its limit stays, one byte more and it is told of', async () => {
  const at = watched([workerOf(1, 100)], 100);
  await at.watch.look();
  assert.deepEqual(at.grown, []);
  const above = watched([workerOf(1, 100), workerOf(2, 200), workerOf(3, 0)], 101);
  await above.watch.look();
  assert.deepEqual(above.grown, [1]);
});

test('one that is being stopped already is not told of again', async () => {
  const { watch, grown } = watched([workerOf(1, 100, false)], 500);
  await watch.look();
  assert.deepEqual(grown, []);
});

test('without any limit nothing is read', async () => {
  const { watch, reads } = watched([workerOf(1, 0), workerOf(2, 0)], 500);
  await watch.look();
  assert.equal(reads(), 0);
});
