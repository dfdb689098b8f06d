// Owners and modes of the run-time directories.
import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { planDirectories, planOwnDirectories } from '../../../src/cli/directory-plan.js';
import { mergeLayers, type Layers } from '../../../src/config/layers.js';

const IDS = { routerUid: 900, routerGid: 901, frontGids: [33] };

const configOf = (main: Layers['main'] = {}) =>
  mergeLayers({ file: '', main, userFiles: new Map() }, { builtinRuntimes: [], memoryBytes: 0 });

const sockets = (...paths: readonly string[]): Layers['main'] => ({
  front: { sockets: paths.map((path) => ({ path, group: 'www-data' })) },
});

test('as root each directory has the owner and mode of the handbook', () => {
  const rows = planDirectories(configOf(), IDS).map(
    ({ path, uid, gid, mode }) => `${path} ${uid}:${gid} ${mode.toString(8)}`,
  );
  assert.deepEqual(rows, [
    '/run/usherd 0:0 711',
    '/run/usherd/worker 0:901 2710',
    '/run/usherd/router 900:0 750',
    '/run/usherd/front 900:33 2710',
    '/var/log/usherd 0:901 771',
    '/var/lib/usherd 0:0 711',
    '/var/lib/usherd/users 0:0 711',
    '/var/lib/usherd/spool 900:901 700',
  ]);
});

test('as an ordinary user everything is private', () => {
  const plan = planOwnDirectories(configOf(), { uid: 1_000, gid: 1_001 });
  assert.equal(plan.length, 8);
  assert.ok(plan.every(({ uid, gid, mode }) => uid === 1_000 && gid === 1_001 && mode === 0o700));
});

test('parents come before their children, none comes twice', () => {
  const config = configOf(sockets('/run/usherd/front/a', '/run/usherd/front/b', '/run/usherd/c/d'));
  const paths = planDirectories(config, IDS).map(({ path }) => path);
  assert.equal(new Set(paths).size, paths.length);
  for (const [index, path] of paths.entries()) {
    const parent = paths.indexOf(dirname(path));
    assert.ok(parent < index, path);
  }
  assert.ok(paths.includes('/run/usherd/c'));
});

test("sockets outside of the run directory lie in directories of the administrator's", () => {
  const config = configOf(sockets('/srv/sockets/a', '/run/usherdx/b'));
  const paths = planDirectories(config, IDS).map(({ path }) => path);
  assert.ok(paths.every((path) => /^\/(run|var\/log|var\/lib)\/usherd(\/|$)/.test(path)));
});

test('a directory for several web servers can be entered by all of them and listed by none', () => {
  const plan = planDirectories(configOf(), { ...IDS, frontGids: [33, 48] });
  const front = plan.find(({ path }) => path.endsWith('/front'));
  assert.equal(front?.mode, 0o2711);
});
