// Where each value of the configuration comes from.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadSettings, limitRows, type Setting } from '../../../src/config/index.js';
import { keyPathsOf } from '../../../src/config/schema-keys.js';
import { mainFileSchema } from '../../../src/config/schema.js';
import { scratchDirectory } from '../../support/scratch.js';

const TEXT = `[limits]
queue_length = 7
idle_timeout = "90s"
[users.alice]
suspended = true
[users.alice.limits]
queue_length = 6
max_workers_per_app = 3
[log]
access = "on"
`;

test('every layer is named by file and line, and the highest wins', async (t) => {
  const directory = scratchDirectory(t);
  const file = join(directory, 'usherd.toml');
  writeFileSync(file, TEXT, { mode: 0o644 });
  mkdirSync(join(directory, 'users.d'), { mode: 0o755 });
  const own = join(directory, 'users.d/alice.toml');
  writeFileSync(own, '[limits]\nmax_workers_per_app = 2\n', { mode: 0o644 });
  const loaded = await loadSettings(file, { builtinRuntimes: [], requireRootOwned: false });
  const find = (settings: readonly Setting[], key: string): readonly string[] => {
    const { value, origin } = settings.find((one) => one.key === key) ?? assert.fail(key);
    return [value, origin];
  };
  const alice = loaded.ofUser('alice');
  assert.deepEqual(find(alice, 'queue_length'), ['6', `${file}:7`]);
  assert.deepEqual(find(alice, 'max_workers_per_app'), ['2', `${own}:2`]);
  assert.deepEqual(find(alice, 'idle_timeout'), ['"90s"', `${file}:3`]);
  assert.deepEqual(find(alice, 'request_timeout'), ['"1h"', 'default']);
  assert.deepEqual(find(alice, 'suspended'), ['true', `${file}:5`]);
  assert.deepEqual(find(alice, 'access_log'), ['"on"', `${file}:10`]);
  assert.deepEqual(find(loaded.ofUser('bob'), 'queue_length'), ['7', `${file}:2`]);
  assert.deepEqual(find(loaded.main(), 'limits.queue_length'), ['7', `${file}:2`]);
  assert.deepEqual(find(loaded.main(), 'log.level'), ['"info"', 'default']);
});

test('every key of the file has a value', async (t) => {
  const file = join(scratchDirectory(t), 'usherd.toml');
  writeFileSync(file, '', { mode: 0o644 });
  const loaded = await loadSettings(file, { builtinRuntimes: [], requireRootOwned: false });
  const keys = loaded.main().map(({ key }) => key);
  for (const path of keyPathsOf(mainFileSchema)) {
    if (['users', 'runtimes'].includes(path[0] ?? '')) continue;
    const key = path.join('.');
    assert.ok(
      keys.some((one) => key === one || key.startsWith(`${one}.`)),
      key,
    );
  }
  for (const { key, value } of loaded.main()) assert.doesNotMatch(value, /^(none|\?)$/, key);
});

test('limits of the program are shown as they are written in the file', () => {
  assert.deepEqual(
    limitRows({ queueLength: 5, idleTimeoutMs: 90_000, maxBodyBytes: 0, other: 1 }),
    [
      { key: 'queue_length', value: '5' },
      { key: 'idle_timeout', value: '"90s"' },
      { key: 'max_body', value: '"0"' },
    ],
  );
});
