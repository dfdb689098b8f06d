// A file is reachable if every account can read it and pass every directory above it.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isReachable } from '../../../src/cli/reachable.js';
import { scratchDirectory } from '../../support/scratch.js';

test('a private directory above hides a public file, and a link does not help', (t) => {
  const directory = scratchDirectory(t);
  const file = join(directory, 'a/b/file');
  mkdirSync(join(directory, 'a/b'), { recursive: true });
  writeFileSync(file, '');
  for (const path of [directory, join(directory, 'a'), join(directory, 'a/b')])
    chmodSync(path, 0o755);
  chmodSync(file, 0o644);
  assert.equal(isReachable(file), true);
  chmodSync(join(directory, 'a'), 0o711);
  assert.equal(isReachable(file), true, 'passing is enough, listing is not needed');
  chmodSync(join(directory, 'a'), 0o750);
  assert.equal(isReachable(file), false);
  symlinkSync(file, join(directory, 'link'));
  assert.equal(isReachable(join(directory, 'link')), false);
});

test('a file that others may not read is not reachable', (t) => {
  const directory = scratchDirectory(t);
  chmodSync(directory, 0o755);
  const file = join(directory, 'file');
  writeFileSync(file, '');
  chmodSync(file, 0o711);
  assert.equal(isReachable(file), false);
});
