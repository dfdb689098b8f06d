// The configuration of Apache hides the sources of every kind of application that usherd knows.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { BUILTIN_RUNTIMES } from '../../src/runtimes/index.js';

const CONFIGURATION = join(import.meta.dirname, '../../../conf.example/apache/usherd.conf');

test('every marker of an entry runtime is in the list', () => {
  const text = readFileSync(CONFIGURATION, 'utf8');
  const yielding = BUILTIN_RUNTIMES.filter(({ yieldsToScripts }) => yieldsToScripts === true);
  const markers = BUILTIN_RUNTIMES.flatMap((runtime) => runtime.markers);
  const [, unlessIndex = ''] = /-e '\$1\/index\.php' \|\| \((.*?)\)/s.exec(text) ?? [];
  for (const marker of yielding.flatMap((runtime) => runtime.markers)) {
    assert.ok(unlessIndex.includes(`! -e '$1/${marker}'`), marker);
  }
  assert.ok(markers.length > 0);
  for (const marker of [...markers, 'usherd.toml']) {
    assert.ok(text.includes(`! -e '$1/${marker}'`), marker);
  }
});

test('every extension of a script runtime is left to usherd', () => {
  const text = readFileSync(CONFIGURATION, 'utf8');
  const [, listed = ''] = /\\\.\(\?:([a-z|]+)\)\[\^\/\]\*\$,i/.exec(text) ?? [];
  for (const extension of BUILTIN_RUNTIMES.flatMap((runtime) => runtime.extensions)) {
    assert.ok(listed.split('|').includes(extension.slice(1)), extension);
  }
});
