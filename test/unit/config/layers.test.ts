// How layers make a configuration.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maxWorkersFromMemory } from '../../../src/config/defaults.js';
import { mergeLayers, type Layers } from '../../../src/config/layers.js';
import { BUILTIN_RUNTIMES } from '../../../src/runtimes/index.js';

const merge = (main: Layers['main']) =>
  mergeLayers(
    { file: '', main, userFiles: new Map() },
    { builtinRuntimes: BUILTIN_RUNTIMES, memoryBytes: 2 ** 33 },
  );

test('max_workers = 0 means as many as fit into memory, between 16 and 1024', () => {
  const MIB = 2 ** 20;
  assert.equal(maxWorkersFromMemory(0), 16);
  assert.equal(maxWorkersFromMemory(17 * 64 * MIB - 1), 16);
  assert.equal(maxWorkersFromMemory(17 * 64 * MIB), 17);
  assert.equal(maxWorkersFromMemory(1_024 * 64 * MIB), 1_024);
  assert.equal(maxWorkersFromMemory(Number.MAX_SAFE_INTEGER), 1_024);
  assert.equal(merge({}).maxWorkers, 128);
  assert.equal(merge({ limits: { max_workers: 0 } }).maxWorkers, 128);
  assert.equal(merge({ limits: { max_workers: 5 } }).maxWorkers, 5);
});

test('the default front socket moves with the run directory', () => {
  const { front } = merge({ paths: { run: '/tmp/u' } });
  assert.deepEqual(front.sockets, [{ path: '/tmp/u/front/front.sock', group: 'www-data' }]);
});

test('a runtime keeps what the administrator does not change', () => {
  const { runtimes } = merge({ runtimes: { php: { command: ['/opt/php/php-cgi'] } } });
  const php = runtimes.get('php');
  assert.deepEqual(php?.command, ['/opt/php/php-cgi']);
  assert.deepEqual(php.extensions, ['.php']);
  assert.equal(php.maxRequests, 10_000);
  assert.equal(php.debianPackage, '', 'the package holds another program');
  assert.equal(runtimes.size, BUILTIN_RUNTIMES.length);
});

test('another version of PHP is as the built-in one in what its table does not say', () => {
  const command = ['/usr/bin/php-cgi8.3'];
  const { runtimes } = merge({ runtimes: { php83: { command, extensions: ['.php8'] } } });
  const [builtin, php83] = [runtimes.get('php'), runtimes.get('php83')];
  const own = { name: 'php83', command, extensions: ['.php8'], debianPackage: '' };
  assert.deepEqual(php83, { ...builtin, ...own });
  assert.equal(php83.keepConnections, 'always');
  const other = merge({ runtimes: { php: { command } } }).runtimes.get('php');
  assert.deepEqual(other, { ...builtin, command, debianPackage: '' });
});

test('how another program takes connections is not known', () => {
  const command = ['/opt/hhvm'];
  const { runtimes } = merge({ runtimes: { php: { command } } });
  assert.equal(runtimes.get('php')?.keepConnections, 'never');
});

test('the same program with other arguments still comes from its package', () => {
  const command = ['/usr/bin/php-cgi', '-c', '/etc/php.ini'];
  assert.equal(
    merge({ runtimes: { php: { command } } }).runtimes.get('php')?.debianPackage,
    'php-cgi',
  );
});

test('what another command needs is not known', () => {
  const command = ['/usr/bin/plackup', '-s', 'Starman'];
  const { runtimes } = merge({ runtimes: { perl: { command }, python: { concurrency: 2 } } });
  assert.deepEqual(runtimes.get('perl')?.needs, []);
  assert.equal(runtimes.get('python')?.needs?.length, 1);
});

test('a new runtime is an entry runtime with one request at a time', () => {
  const go = merge({
    runtimes: { go: { command: ['./{entry}'], markers: ['main'] } },
  }).runtimes.get('go');
  assert.equal(go?.kind, 'entry');
  assert.equal(go.concurrency, 1);
  assert.equal(go.protocol, 'fastcgi');
});

test("a user without a word about no_new_privileges has everybody's", () => {
  const users = { a: {}, b: { no_new_privileges: true } };
  const merged = merge({ identity: { no_new_privileges: false }, users }).users;
  assert.equal(merged.get('a')?.noNewPrivileges, false);
  assert.equal(merged.get('b')?.noNewPrivileges, true);
});

test("a user without a word about umask has everybody's", () => {
  const users = { a: {}, b: { umask: 0o077 } };
  const merged = merge({ identity: { umask: 0o022 }, users }).users;
  assert.equal(merged.get('a')?.umask, 0o022);
  assert.equal(merged.get('b')?.umask, 0o077);
});

test("a user without a word about isolation has everybody's, and the other way round", () => {
  const users = { a: {}, b: { isolation: 'none' as const } };
  const merged = merge({ isolation: { mode: 'strict' }, users });
  assert.deepEqual(merged.isolation, { mode: 'strict', visible: [], home: false });
  assert.equal(merged.users.get('a')?.isolation, 'strict');
  assert.equal(merged.users.get('b')?.isolation, 'none');
});
