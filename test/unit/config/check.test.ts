// Values at their bounds, and the rules between keys: each with what is accepted and what is refused.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkTogether } from '../../../src/config/check.js';
import { mergeLayers } from '../../../src/config/layers.js';
import { mainFileSchema } from '../../../src/config/schema.js';
import { parseToml } from '../../../src/config/toml.js';
import { BUILTIN_RUNTIMES } from '../../../src/runtimes/index.js';

function tableOf(text: string): object {
  const parsed = parseToml(text, 'text');
  assert.ok(parsed.ok, text);
  return parsed.table;
}

const isAccepted = (text: string): boolean => mainFileSchema.safeParse(tableOf(text)).success;

/** The rules between keys that refuse the text. */
function rulesOf(text: string): readonly string[] {
  const main = mainFileSchema.parse(tableOf(text));
  const layers = { file: 'text', main, userFiles: new Map() };
  const config = mergeLayers(layers, { builtinRuntimes: BUILTIN_RUNTIMES, memoryBytes: 2 ** 33 });
  const guide = { place: () => 'text:1', isSound: () => true };
  return checkTogether(layers, config, guide).map(({ finding }) => finding.rule);
}

test('limits are accepted at their bounds and refused one past them', () => {
  const rows: readonly (readonly [accepted: string, refused: string])[] = [
    ['max_workers_per_app = 1', 'max_workers_per_app = 0'],
    ['max_workers_per_app = 10000', 'max_workers_per_app = 10001'],
    ['min_workers = 0', 'min_workers = -1'],
    ['max_workers = 0', 'max_workers = -1'],
    ['queue_length = 1', 'queue_length = 0'],
    ['queue_length = 100000', 'queue_length = 100001'],
    ['queue_timeout = "10ms"', 'queue_timeout = "9ms"'],
    ['idle_timeout = "168h"', 'idle_timeout = "169h"'],
    ['max_body = "0"', 'max_body = 0'],
    ['memory_max = "1MiB"', 'memory_max = "1023KiB"'],
    ['max_requests = 0', 'max_requests = "0"'],
    ['pids_max = 4', 'pids_max = 3'],
    ['pids_max = 0x10', 'pids_max = 16.5'],
  ];
  for (const [accepted, refused] of rows) {
    assert.equal(isAccepted(`[limits]\n${accepted}`), true, accepted);
    assert.equal(isAccepted(`[limits]\n${refused}`), false, refused);
  }
});

test('numbers that are none, not whole or not exact are refused as counts', () => {
  for (const value of ['nan', 'inf', '-inf', '1e308', '1.5', '4.0e0', '"4"', 'true', '[]', '{}']) {
    assert.equal(isAccepted(`[limits]\nqueue_length = ${value}`), false, value);
  }
});

test('no configuration reaches root or the accounts of the system (T23, T123)', () => {
  assert.equal(isAccepted('[identity]\nmin_uid = 1000'), true);
  for (const value of ['999', '100', '1', '0', '-1', '4294967296']) {
    assert.equal(isAccepted(`[identity]\nmin_uid = ${value}`), false, value);
  }
  assert.equal(isAccepted('[identity]\nmax_uid = 2147483646'), true);
  assert.equal(isAccepted('[identity]\nmax_uid = 2147483647'), false);
  for (const value of ['0', '-1', '4294967295', '2147483648', '"0x0"', '1e3', '1000.5']) {
    assert.equal(isAccepted(`[users.a]\nuid = ${value}\ngid = 2000`), false, value);
  }
  assert.equal(isAccepted('[users.root]\nrun_as_root = true'), false);
});

test('paths are absolute and plain', () => {
  for (const path of ['/run/usherd', '/a', '/a/..b', '/a/.b']) {
    assert.equal(isAccepted(`[paths]\nrun = "${path}"`), true, path);
  }
  for (const path of [
    '',
    'run',
    './run',
    '/',
    '/a/',
    '//a',
    '/a//b',
    '/a/../b',
    '/a/.',
    '/a\\nb',
  ]) {
    assert.equal(isAccepted(`[paths]\nrun = "${path}"`), false, path);
  }
});

test('names of users, groups, runtimes and markers are what they can be in the system', () => {
  assert.equal(isAccepted('[users.alice]'), true);
  assert.equal(isAccepted('[users.Alice]'), false);
  assert.equal(isAccepted('[users."0"]'), false);
  assert.equal(isAccepted('[users."-rf"]'), false);
  assert.equal(isAccepted('[runtimes.my_lang]\ncommand = ["/bin/x"]'), true);
  assert.equal(isAccepted('[runtimes.My]\ncommand = ["/bin/x"]'), false);
  assert.equal(isAccepted('[runtimes.php]\nmarkers = ["../x"]'), false);
  assert.equal(isAccepted('[runtimes.php]\nmarkers = ["-x"]'), false);
  assert.equal(isAccepted('[runtimes.php]\nextensions = ["php"]'), false);
  assert.equal(isAccepted('[front]\nsockets = [{ path = "/a", group = "a:b" }]'), false);
});

test('a program is absolute or lies in the application: PATH is never searched', () => {
  for (const command of ['["/usr/bin/x", "a b"]', '["./x"]', '["./{entry}"]']) {
    assert.equal(isAccepted(`[runtimes.x]\ncommand = ${command}`), true, command);
  }
  for (const command of ['[]', '["x"]', '[""]', '["/"]', '["./"]', '"/usr/bin/x"', '["/a\\nb"]']) {
    assert.equal(isAccepted(`[runtimes.x]\ncommand = ${command}`), false, command);
  }
});

test('rules between keys', () => {
  const rows: readonly (readonly [text: string, rules: readonly string[]])[] = [
    ['', []],
    ['[paths]\nlog = "/run/usherd"', ['config-path-twice']],
    [`[paths]\nrun = "/${'r'.repeat(74)}"`, []],
    [`[paths]\nrun = "/${'r'.repeat(75)}"`, ['config-path-length']],
    ['[front]\nsockets = []', ['config-sockets-empty']],
    [`[front]\nsockets = [{ path = "/${'s'.repeat(106)}", group = "g" }]`, []],
    [`[front]\nsockets = [{ path = "/${'s'.repeat(107)}", group = "g" }]`, ['config-path-length']],
    [
      '[front]\nsockets = [{ path = "/a", group = "g" }, { path = "/a", group = "h" }]',
      ['config-socket-twice'],
    ],
    ['[apps]\nroots = []', ['config-roots-empty']],
    [
      '[apps]\nroots = ["/srv/{user}/apps/{app}", "/srv/{user}/apps/{app}"]',
      ['config-roots-overlap'],
    ],
    ['[apps]\nroots = ["/srv/{user}/apps/{app}", "/home/{user}/apps/{app}"]', []],
    ['[identity]\nmin_uid = 2000\nmax_uid = 2000', []],
    ['[identity]\nmin_uid = 2001\nmax_uid = 2000', ['config-uid-range']],
    ['[limits]\nmin_workers = 4', []],
    ['[limits]\nmin_workers = 5', ['config-min-workers']],
    ['[users.a.limits]\nmin_workers = 5', ['config-min-workers']],
    ['[users.a.limits]\nmin_workers = 5\nmax_workers_per_app = 5', []],
    ['[runtimes.new]', ['config-runtime-incomplete']],
    ['[runtimes.new]\nkind = "script"\ncommand = ["/x"]', ['config-runtime-incomplete']],
    ['[runtimes.new]\nkind = "script"\ncommand = ["/x"]\nextensions = [".php"]', []],
    ['[runtimes.new]\ncommand = ["/x"]\nmarkers = ["app.py"]', ['config-runtime-ambiguous']],
    ['[users.a]\nuid = 2000\ngid = 2000', []],
    ['[users.a]\nuid = 2000', ['config-account-half']],
    ['[users.a]\ngid = 2000', ['config-account-half']],
    ['[users.a]\nhome = "/x"', ['config-account-half']],
    ['[users.a]\nuid = 999\ngid = 2000', ['config-uid-range']],
    ['[users.a]\nuid = 60001\ngid = 2000', ['config-uid-range']],
    ['[users.a]\nuid = 2000\ngid = 2000\n[users.b]\nuid = 2000\ngid = 2001', ['config-uid-twice']],
    ['[users.usherd]\nuid = 900\ngid = 900', []],
    [
      '[users.usherd]\nuid = 2000\ngid = 900\n[users.a]\nuid = 2000\ngid = 2000',
      ['config-uid-twice'],
    ],
  ];
  for (const [text, rules] of rows) assert.deepEqual(rulesOf(text), rules, text);
});

test('an authorizer is one application at an address of its own', () => {
  const gate = '{ address = "127.0.0.1:601", application = "alice/gate" }';
  const text = (...rows: readonly string[]): string =>
    `[front]\nauthorizers = [${rows.join(', ')}]`;
  assert.deepEqual(rulesOf(text(gate)), []);
  assert.deepEqual(rulesOf(text(gate, gate.replace('601', '602'))), []);
  assert.deepEqual(rulesOf(text(gate, gate.replace('alice', 'bob'))), ['config-address-twice']);
  for (const wrong of [
    '{ address = "127.0.0.1:601" }',
    '{ application = "alice/gate" }',
    gate.replace('127.0.0.1', '0.0.0.0'),
    gate.replace('601', '6010'),
    gate.replace('alice/gate', 'alice'),
    gate.replace('alice/gate', '../gate'),
  ]) {
    assert.equal(isAccepted(text(wrong)), false, wrong);
  }
});
