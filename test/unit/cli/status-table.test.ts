// What `usherd status` prints.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatStatus } from '../../../src/cli/status-table.js';

const WORKER = { pid: 17, state: 'ready', requestsServed: 9, inFlight: 0, ageMs: 61_000 };
const APP = {
  app: 'alice/blog',
  user: 'alice',
  uid: 2_001,
  runtime: 'php',
  state: 'running',
  queue: 0,
  served: 1_234,
  refused: 5,
  workers: [
    { ...WORKER, inFlight: 1, rssBytes: 20 * 2 ** 20, cpuPercent: 1.4, currentRequest: 'GET /a' },
    { ...WORKER, rssBytes: 10 * 2 ** 20, cpuPercent: 0.2, currentRequest: '' },
  ],
};
const STATUS = {
  version: '1.2.3',
  uptimeMs: 93_784_000,
  mode: 'root',
  router: { connected: true, answered: true },
  limits: { maxWorkers: 64, workers: 2 },
  isolation: { cgroup: { path: '/sys/fs/cgroup/usherd', controllers: ['memory', 'pids'] } },
  suspended: [],
  apps: [APP],
  failures: [],
  counters: {},
};

const linesOf = (status: Readonly<Record<string, unknown>>): readonly string[] =>
  formatStatus(status).split('\n');

test('the first line sums up', () => {
  assert.equal(
    linesOf(STATUS)[0],
    'usherd 1.2.3, up 1d 2h, 1 application, 2 of 64 workers, nothing wrong',
  );
  assert.match(linesOf({ ...STATUS, mode: 'self' })[0] ?? '', /everything as one user/);
  assert.match(linesOf({ ...STATUS, suspended: ['bob'] })[0] ?? '', /, 1 problem$/);
});

test('where another version is installed than runs, the first line says so', () => {
  const view = { withWorkers: false, bold: (text: string): string => text };
  const first = (version: string): string =>
    formatStatus(STATUS, { ...view, installed: { version, protocol: 1 } }).split('\n')[0] ?? '';
  assert.match(first('1.2.4'), /^usherd 1\.2\.3 \(1\.2\.4 is installed\), up/);
  assert.match(first('1.2.3'), /^usherd 1\.2\.3, up/);
});

test('each application is one line, its numbers set to the right', () => {
  const [heading = '', row = ''] = linesOf(STATUS).slice(-2);
  assert.deepEqual(row.split(/ +/), [
    ...['alice/blog', '2001', 'php', 'running', '2', '1', '0', '1234', '5', '30M', '2%'],
  ]);
  assert.equal(row.length, heading.length);
  assert.equal(heading.indexOf('SERVED') + 'SERVED'.length, row.indexOf('1234') + '1234'.length);
});

test('for one application there is a line for each worker', () => {
  const text = formatStatus(STATUS, { withWorkers: true, bold: (it) => it });
  const rows = text.split('\n').slice(-2);
  assert.match(rows[0] ?? '', /^17 +ready +9 +20M +1% +1m 1s +GET \/a$/);
  assert.match(rows[1] ?? '', /^17 +ready +9 +10M +0% +1m 1s +-$/);
});

test('without applications there is no table', () => {
  assert.equal(linesOf({ ...STATUS, apps: [] }).length, 1);
});

test('a problem is a headline, what is known of it, and a remedy', () => {
  const text = formatStatus(
    { ...STATUS, suspended: ['bob'] },
    { withWorkers: false, bold: (it) => `<${it}>` },
  );
  assert.match(text, /\n<bob: suspended>\n {4}every request .*\n {4}remedy: usherd resume bob/);
});

test('limits that nobody holds are told, and those that hold are not', () => {
  const told = (path: string, controllers: readonly string[]): string =>
    linesOf({ ...STATUS, apps: [], isolation: { cgroup: { path, controllers } } })
      .slice(1)
      .join();
  assert.equal(told('/sys/fs/cgroup/usherd', ['memory', 'pids', 'cpu']), '');
  assert.match(told('/sys/fs/cgroup/usherd', ['memory']), /without pids: .*RLIMIT_NPROC/);
  assert.match(
    told('/sys/fs/cgroup/usherd', []),
    /without memory and pids: memory_max has no effect/,
  );
  assert.match(told('', []), /no cgroups: limits are rlimits only/);
});

test('nothing that a tenant wrote reaches the terminal as a command to it (T119)', () => {
  const evil = 'a\u001b]0;x\u0007\r\u202e\u009b\n';
  const worker = { ...WORKER, state: evil, currentRequest: evil, pid: evil };
  const failure = { app: evil, code: evil, reason: evil, detail: evil, rule: evil, remedy: evil };
  const shown = (status: Readonly<Record<string, unknown>>): string =>
    formatStatus(status, { withWorkers: true, bold: (it) => it });
  const text = shown({
    ...STATUS,
    suspended: [evil],
    apps: [
      { ...APP, app: evil, runtime: evil, state: evil, uid: evil, queue: evil, workers: [worker] },
      { ...APP, app: evil, queue: 7, workers: [worker] },
    ],
    failures: [failure, { ...failure, meaning: evil, ageMs: evil }],
  });
  assert.match(text, /^[\x20-\x7e\n]*$/);
});

test('a status of another shape is shown as far as it goes', () => {
  for (const status of [
    {},
    { apps: 'x', limits: null, router: 7 },
    { apps: [null, 5, 'x'], failures: [null, 5, {}], suspended: [7] },
  ]) {
    assert.ok(formatStatus(status).startsWith('usherd'));
  }
});

test('the age has its two largest units', () => {
  const age = (uptimeMs: number): string =>
    / up ([^,]*),/.exec(formatStatus({ uptimeMs }))?.[1] ?? '';
  assert.equal(age(0), '0s');
  assert.equal(age(59_999), '59s');
  assert.equal(age(60_000), '1m 0s');
  assert.equal(age(7_503_000), '2h 5m');
  assert.equal(age(90_000_000), '1d 1h');
});
