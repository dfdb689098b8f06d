// The table of `usherd status`.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatStatus } from '../../../src/cli/status-table.js';

const APP = {
  app: 'alice/blog',
  user: 'alice',
  uid: 2_001,
  runtime: 'php',
  state: 'running',
  queue: 3,
  served: 1_234,
  refused: 5,
  workers: [{ rssBytes: 20 * 2 ** 20 }, { rssBytes: 10 * 2 ** 20 }],
};
const STATUS = {
  version: '1.2.3',
  uptimeMs: 93_784_000,
  mode: 'root',
  router: { connected: true },
  limits: { maxWorkers: 64 },
  suspended: [],
  apps: [APP],
};

const linesOf = (status: Readonly<Record<string, unknown>>): readonly string[] =>
  formatStatus(status).split('\n');

test('the first line sums up', () => {
  assert.equal(linesOf(STATUS)[0], 'usherd 1.2.3, up 1d 2h, 1 application, 2 of 64 workers');
  assert.match(linesOf({ ...STATUS, mode: 'self' })[0] ?? '', /everything as one user/);
});

test('each application is one line, its numbers set to the right', () => {
  const [heading = '', row = ''] = linesOf(STATUS).slice(-2);
  assert.deepEqual(row.split(/ +/), [
    ...['alice/blog', '2001', 'php', 'running', '2', '3', '1234', '5', '30M'],
  ]);
  assert.equal(row.length, heading.length);
  assert.equal(heading.indexOf('SERVED') + 'SERVED'.length, row.indexOf('1234') + '1234'.length);
});

test('without applications there is no table', () => {
  assert.equal(linesOf({ ...STATUS, apps: [] }).length, 1);
});

test('a missing router and suspended users are told', () => {
  const text = formatStatus({ ...STATUS, router: { connected: false }, suspended: ['bob', 'eve'] });
  assert.match(text, /the router is not connected/);
  assert.match(text, /suspended: bob, eve/);
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
  assert.match(told('', []), /no cgroups: what leaves its session outlives its worker/);
});

test('nothing that a tenant wrote reaches the terminal as a command to it (T119)', () => {
  const evil = 'a\u001b]0;x\u0007\r\u202e\u009b\n';
  const text = formatStatus({
    ...STATUS,
    suspended: [evil],
    apps: [{ ...APP, app: evil, runtime: evil, state: evil, uid: evil, queue: evil }],
  });
  assert.match(text, /^[\x20-\x7e\n]*$/);
  assert.equal(
    text.split('\n').length,
    formatStatus({ ...STATUS, suspended: ['x'] }).split('\n').length,
  );
});

test('a status of another shape is shown as far as it goes', () => {
  for (const status of [{}, { apps: 'x', limits: null, router: 7 }, { apps: [null, 5, 'x'] }]) {
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
