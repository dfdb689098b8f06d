// docs/control.md names every command of the control socket with what it takes, its bounds, and the keys of a status.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { controlRequest } from '../../src/ipc/index.js';
import { LIMITS } from '../../src/limits.js';
import { newCounters } from '../../src/spawner/counters.js';
import { buildStatus } from '../../src/spawner/status.js';

const TEXT = readFileSync(join(import.meta.dirname, '../../../docs/control.md'), 'utf8');

/** Cells of a table, without the marks of code. */
const rows = (heading: string): readonly (readonly string[])[] =>
  (TEXT.split(`## ${heading}\n`)[1] ?? '')
    .split('\n## ')[0]
    ?.split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| --'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    )
    .slice(1) ?? [];

test('every command has a row that says what it takes, and there is no other', () => {
  const expected = controlRequest.options.map(({ shape }) => {
    const [name] = shape.command.values;
    const taken = Object.keys(shape).filter((key) => key !== 'command');
    return [name, taken.join(', ')];
  });
  const found = rows('Commands').map(([command, taken]) => [command, taken]);
  assert.deepEqual(found.sort(), expected.sort());
});

test('the bounds are those of the code', () => {
  const bounds = rows('Bounds').map(([, bound]) => bound);
  const seconds = (ms: number): string => `${ms / 1_000} s`;
  assert.deepEqual(bounds, [
    `${LIMITS.controlRequestMaxBytes / 1_024} KiB`,
    String(LIMITS.controlConnectionsMaxCount),
    seconds(LIMITS.controlDeadlineMs),
    seconds(LIMITS.controlDeadlineMs),
    seconds(LIMITS.reportDeadlineMs),
    LIMITS.requestsReportedMaxCount.toLocaleString('en'),
    `${LIMITS.failuresRememberedMaxCount}, ${LIMITS.failuresPerUserMaxCount} a user`,
  ]);
});

test('whoever asks for a reload or a start hears of a router that is silent', () => {
  const routerMs: number = LIMITS.reloadDeadlineMs;
  const startMs: number = LIMITS.startNewsMs;
  assert.ok(routerMs < LIMITS.controlDeadlineMs && startMs < LIMITS.controlDeadlineMs);
});

test('the example of a status has the keys that a status has', () => {
  const status = buildStatus({
    ...{ version: '', uptimeMs: 0, mode: 'root', nowMs: 0, routerIsConnected: true },
    ...{ routerForeignProtocol: 0 },
    report: {
      apps: [
        {
          ...{ type: 'reportApp', serial: 0, app: 'alice/blog', runtime: 'php', state: 'idle' },
          ...{ queue: 0, served: 0, refused: 0 },
        },
      ],
      ...{ workers: [], failures: [], requests: [], router: undefined },
    },
    limits: { maxWorkers: 1, workers: 0, launching: 0, waiting: 0 },
    cgroup: { path: '', controllers: [] },
    ...{
      suspended: [],
      brokenUsers: new Map(),
      running: [],
      usages: new Map(),
      counters: newCounters(),
    },
  });
  const json = TEXT.split('### What status says')[1]?.split('```json')[1]?.split('```')[0] ?? '';
  const example = JSON.parse(json) as Readonly<Record<string, unknown>>;
  assert.deepEqual(Object.keys(example).sort(), Object.keys(status).sort());
  const [app] = example['apps'] as readonly object[];
  assert.deepEqual(Object.keys(app ?? {}).sort(), Object.keys(status.apps[0] ?? {}).sort());
  const counters = example['counters'] as Readonly<Record<string, number>>;
  for (const name of Object.keys(counters)) assert.ok(Object.hasOwn(status.counters, name), name);
});
