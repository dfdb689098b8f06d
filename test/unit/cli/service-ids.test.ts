// Who supervisor and router run as: from the configuration, else from the account database, never root.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serviceIds, type Lookup } from '../../../src/cli/service-ids.js';
import { mergeLayers, type Layers } from '../../../src/config/layers.js';
import { isUsherdError } from '../../../src/errors.js';

const configOf = (main: Layers['main'] = {}) =>
  mergeLayers({ file: '', main, userFiles: new Map() }, { builtinRuntimes: [], memoryBytes: 0 });

/** An account database of the lines that are given. */
const database =
  (passwd: readonly string[], group: readonly string[]): Lookup =>
  (name, key) => {
    const lines = name === 'passwd' ? passwd : group;
    const fields = lines.map((line) => line.split(':')).find(([first]) => first === key);
    return Promise.resolve(fields);
  };

const SOUND = database(['usherd:x:900:901::/:/bin/false'], ['www-data:x:33:', 'web:x:48:']);

async function refusedNames(main: Layers['main'], lookup: Lookup): Promise<readonly string[]> {
  try {
    await serviceIds(configOf(main), lookup);
  } catch (err) {
    if (!isUsherdError(err) || err.code !== 'E_STARTUP_IDENTITY') throw err;
    return err.findings.map(({ path = '' }) => path);
  }
  return [];
}

test('the ids come from the account database', async () => {
  const ids = await serviceIds(configOf(), SOUND);
  assert.deepEqual(ids, { routerUid: 900, routerGid: 901, frontGids: [33] });
});

test('an account of the configuration is not looked up', async () => {
  const main = { users: { usherd: { uid: 700, gid: 701 } } };
  const ids = await serviceIds(configOf(main), database([], ['www-data:x:33:']));
  assert.deepEqual(ids, { routerUid: 700, routerGid: 701, frontGids: [33] });
});

test('every group of a front socket is looked up once', async () => {
  const socket = (path: string, group: string) => ({ path, group });
  const front = { sockets: [socket('/a', 'www-data'), socket('/b', 'web'), socket('/c', 'web')] };
  const ids = await serviceIds(configOf({ front }), SOUND);
  assert.deepEqual(ids.frontGids, [33, 48]);
});

test('everything that is missing is told at once', async () => {
  assert.deepEqual(await refusedNames({}, database([], [])), ['usherd', 'www-data']);
});

test("root's account and group, and ids that are none, are refused", async () => {
  for (const id of ['0', '', '-1', '007', '1e3', '4294967296', '4294967295', 'x']) {
    const bad = database([`usherd:x:${id}:901::/:`], [`www-data:x:${id}:`]);
    assert.deepEqual(await refusedNames({}, bad), ['usherd', 'www-data'], id);
  }
  assert.deepEqual(await refusedNames({}, database(['usherd:x:900:0::/:'], ['www-data:x:33:'])), [
    'usherd',
  ]);
});
