// docs/troubleshooting.md has a section for every reason that usherd gives, and for no other.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ERRORS } from '../../src/errors.js';

const DOCUMENT = readFileSync(
  join(import.meta.dirname, '../../../docs/troubleshooting.md'),
  'utf8',
);

test('every reason has its section', () => {
  const sections = [...DOCUMENT.matchAll(/^### `([a-z-]+)`$/gm)].map(([, reason = '']) => reason);
  const reasons = Object.values(ERRORS).flatMap(({ reason }) => (reason === '' ? [] : [reason]));
  assert.deepEqual([...sections].sort(), [...new Set(reasons)].sort());
});
