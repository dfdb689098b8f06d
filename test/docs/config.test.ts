// conf.example/usherd.toml and the schema say the same: every key, and every default.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { mergeLayers } from '../../src/config/layers.js';
import { keyPathsOf } from '../../src/config/schema-keys.js';
import { mainFileSchema } from '../../src/config/schema.js';
import { parseToml, type Table } from '../../src/config/toml.js';
import { BUILTIN_RUNTIMES } from '../../src/runtimes/index.js';

const EXAMPLE = new URL('../../../conf.example/usherd.toml', import.meta.url);
const SURROUNDINGS = { builtinRuntimes: BUILTIN_RUNTIMES, memoryBytes: 2 ** 33 };

/** The example with its defaults switched on: a "#" without a space hides a line of TOML. */
const switchedOn = (text: string): string => text.replace(/^#(?=\S)/gm, '');

function tableOf(text: string): Table {
  const parsed = parseToml(text, 'conf.example/usherd.toml');
  assert.ok(parsed.ok, text);
  return parsed.table;
}

const configOf = (table: Table) =>
  mergeLayers({ file: '', main: mainFileSchema.parse(table), userFiles: new Map() }, SURROUNDINGS);

/** Paths of keys with `*` for the names that the administrator chooses, as keyPathsOf() writes them. */
function writtenPaths(table: unknown, pattern: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return true;
  if (Array.isArray(table)) return table.some((item) => writtenPaths(item, pattern));
  if (typeof table !== 'object' || table === null) return false;
  return Object.entries(table).some(
    ([key, value]) => (first === '*' || first === key) && writtenPaths(value, rest),
  );
}

test('as shipped, the example changes nothing', async () => {
  const text = await readFile(EXAMPLE, 'utf8');
  assert.deepEqual(configOf(tableOf(text)), configOf({}));
});

test('with every hidden line switched on, the example still says exactly the defaults', async () => {
  const shown = configOf(tableOf(switchedOn(await readFile(EXAMPLE, 'utf8'))));
  const defaults = configOf({});
  // Where a value comes from is the one thing that is different.
  assert.deepEqual({ ...shown, users: defaults.users, defaultOrigins: {} }, defaults);
  const alice = shown.users.get('alice');
  assert.deepEqual(alice?.limits, defaults.defaults);
  assert.equal(alice.suspended, false);
  assert.equal(alice.noNewPrivileges, defaults.identity.noNewPrivileges);
  assert.equal(alice.isolation, defaults.isolation.mode);
});

test('the example names every key that the schema knows', async () => {
  const table = tableOf(switchedOn(await readFile(EXAMPLE, 'utf8')));
  // A user's limits have the same keys as [limits]; `user` of a socket and authorizers are told in prose.
  const told = new Set([
    ...['front.sockets.user', 'front.authorizers.address', 'front.authorizers.application'],
  ]);
  const missing = keyPathsOf(mainFileSchema)
    .filter((path) => !path.join('.').startsWith('users.*.limits.'))
    .filter((path) => !told.has(path.join('.')) && !writtenPaths(table, path));
  assert.deepEqual(missing, []);
});

test('what the example tells in prose is told', async () => {
  const text = await readFile(EXAMPLE, 'utf8');
  assert.match(text, /`user = "alice"` in an entry/);
  const [, authorizers = ''] = /(\[\{ address = .*\}\])/.exec(text) ?? [];
  const { front } = configOf(tableOf(`[front]\nauthorizers = ${authorizers}`));
  const expected = { host: '127.0.0.1', port: 601, application: 'alice/gate' };
  assert.deepEqual(front.authorizers, [expected]);
});
