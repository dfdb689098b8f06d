// Figures of processes: one that has ended meanwhile costs nobody else's, and keeps nothing open.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { test } from 'node:test';
import { LIMITS } from '../../../src/limits.js';
import { UsageReader } from '../../../src/spawner/usage.js';

/** Each look is a new one. */
function newReader(): UsageReader {
  let nowMs = 0;
  return new UsageReader(() => (nowMs += LIMITS.usageMaxAgeMs));
}

/** Descriptors of this process that show something of another one. */
const openOfOthers = (): readonly string[] =>
  readdirSync('/proc/self/fd')
    .map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return ''; // that of the listing itself
      }
    })
    .filter((path) => /^\/proc\/\d+\//.test(path) && !path.startsWith(`/proc/${process.pid}/`));

test('a process that has ended is left out, the others have their figures', async () => {
  const gone = spawnSync('/bin/true').pid;
  const usages = await newReader().read([gone, process.pid]);
  assert.deepEqual([...usages.keys()], [process.pid]);
});

test('memory is what the process says of itself', async () => {
  const usages = await newReader().read([process.pid]);
  const own = process.memoryUsage.rss();
  const seen = usages.get(process.pid)?.rssBytes ?? 0;
  assert.ok(seen > own / 2 && seen < own * 2, `${seen} beside ${own}`);
});

test('processor time counts from the look before: one that works has much, one that sleeps none', async () => {
  const worker = spawn('/bin/sh', ['-c', 'while :; do :; done']);
  const sleeper = spawn('/bin/sleep', ['60']);
  const pids = [worker.pid ?? 0, sleeper.pid ?? 0];
  try {
    const reader = newReader();
    await reader.read(pids);
    const percentOf = async (): Promise<readonly number[]> => {
      const usages = await reader.read(pids);
      return pids.map((pid) => usages.get(pid)?.cpuPercent ?? NaN);
    };
    let seen = await percentOf();
    while (seen[0] === 0) seen = await percentOf();
    const [working = NaN, sleeping = NaN] = seen;
    assert.ok(working > 0 && working < Infinity, `${working} %`);
    assert.equal(sleeping, 0);
  } finally {
    worker.kill();
    sleeper.kill();
  }
});

test('nothing of a process stays open, whether it lives or has ended', async () => {
  const child = spawn('/bin/sleep', ['60']);
  const reader = newReader();
  await reader.read([child.pid ?? 0]);
  assert.deepEqual(openOfOthers(), []);
  child.kill();
  await once(child, 'close');
  await reader.read([child.pid ?? 0]);
  assert.deepEqual(openOfOthers(), []);
});
