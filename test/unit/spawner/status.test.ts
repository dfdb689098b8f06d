// What the supervisor says of applications and workers: who belongs to whom, and in a time that grows with their number only.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newCounters } from '../../../src/spawner/counters.js';
import { buildStatus, type Status, type StatusInput } from '../../../src/spawner/status.js';

type Running = StatusInput['running'][number];
type Report = NonNullable<StatusInput['report']>;

/** As much of a worker as a status looks at. */
const worker = (id: string, app: string, runtime = 'php'): Running =>
  ({
    process: {
      id,
      pid: 7,
      programPid: 8,
      startedAtMs: 0,
      state: 'running',
      owner: { app, uid: 9 },
    },
    blueprint: { runtime, walls: undefined },
  }) as unknown as Running;

const appRow = (app: string, runtime: string, queue: number): Report['apps'][number] => ({
  ...{ type: 'reportApp', serial: 1, app, runtime, state: 'running' },
  ...{ queue, served: 0, refused: 0 },
});
const workerRow = (id: string, requestsServed: number): Report['workers'][number] => ({
  ...{ type: 'reportWorker', serial: 1, worker: id, state: 'ready' },
  ...{ requestsServed, inFlight: 0, currentRequest: '' },
});

function statusOf(running: readonly Running[], report: Partial<Report>): Status {
  return buildStatus({
    ...{ version: '1', uptimeMs: 0, mode: 'root', nowMs: 0, routerIsConnected: true },
    ...{
      routerForeignProtocol: 0,
      suspended: [],
      brokenUsers: new Map(),
      usages: new Map(),
      counters: newCounters(),
    },
    report: {
      ...{ apps: [], workers: [], failures: [], requests: [], router: undefined },
      ...report,
    },
    limits: { maxWorkers: 1, workers: 0, launching: 0, waiting: 0 },
    cgroup: { path: '', controllers: [] },
    running,
  });
}

test('each worker is with its application and runtime, and has the figures that the router has of it', () => {
  const { apps } = statusOf(
    [worker('a', 'alice/blog'), worker('b', 'bob/shop'), worker('c', 'alice/blog', 'cgi')],
    {
      apps: [appRow('bob/shop', 'php', 3), appRow('carol/wiki', 'php', 1)],
      workers: [workerRow('c', 5), workerRow('b', 4)],
    },
  );
  const seen = apps.map(({ app, runtime, queue, workers }) => [
    ...[app, runtime, queue],
    workers.map(({ id, requestsServed }) => `${id}${requestsServed}`).join(),
  ]);
  assert.deepEqual(seen, [
    ['alice/blog', 'cgi', 0, 'c5'],
    ['alice/blog', 'php', 0, 'a0'],
    ['bob/shop', 'php', 3, 'b4'],
    ['carol/wiki', 'php', 1, ''],
  ]);
});

test('root spends on ten times as many applications about ten times as long', () => {
  const bestUs = (count: number): number => {
    const names = Array.from({ length: count }, (_, at) => `user${at}/app`);
    const running = names.map((app, at) => worker(`w${at}`, app));
    const report = {
      apps: names.map((app) => appRow(app, 'php', 0)),
      workers: names.map((_, at) => workerRow(`w${at}`, 0)),
    };
    const times = Array.from({ length: 5 }, () => {
      const before = process.cpuUsage(); // of this process: what else the machine does takes no part
      statusOf(running, report);
      const { user, system } = process.cpuUsage(before);
      return user + system;
    });
    return Math.min(...times);
  };
  bestUs(800); // compiled by then
  const ratio = bestUs(8_000) / bestUs(800);
  // A look through all of them for each of them would be a hundred.
  assert.ok(ratio < 40, `${ratio.toFixed(1)} times`);
});
