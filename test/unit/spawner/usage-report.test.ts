// What the router is told of workers: of an isolated one, what its program uses, and not bubblewrap.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newCounters } from '../../../src/spawner/counters.js';
import type { Operations } from '../../../src/spawner/operations.js';
import { UsageReport } from '../../../src/spawner/usage-report.js';
import type { UsageReader } from '../../../src/spawner/usage.js';

test('of an isolated worker the memory and time of its program are told', async () => {
  const sent: { type: string; rssBytes?: number; cpuPermille?: number }[] = [];
  const process = { id: '0123456789abcdef', pid: 10, programPid: 12, startedAtMs: 0 };
  const operations = {
    workers: { running: [{ process }] },
    link: { send: (message: { type: string }) => sent.push(message) },
    admission: { workerCount: 1, launchingCount: 0, waitingCount: 0 },
    counters: newCounters(),
  };
  const used = new Map([
    [10, { rssBytes: 1, cpuPercent: 0 }],
    [12, { rssBytes: 20_000_000, cpuPercent: 2.5 }],
  ]);
  const usage = {
    read: (pids: readonly number[]) =>
      Promise.resolve(new Map([...used].filter(([pid]) => pids.includes(pid)))),
  };
  const report = new UsageReport({
    operations: operations as unknown as Operations,
    usage: usage as unknown as UsageReader,
    ...{ mode: 'root', hasCgroups: true, startedAtMs: 0 },
    now: () => 1_000,
    maxWorkers: () => 4,
    suspended: () => 0,
  });
  await report.tell(1);
  assert.deepEqual(
    sent.map(({ type }) => type),
    ['workerUsage', 'machine'],
  );
  assert.deepEqual([sent[0]?.rssBytes, sent[0]?.cpuPermille], [20_000_000, 25]);
});
