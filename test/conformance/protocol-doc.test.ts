// docs/protocol.md says what the code does: limits, error codes, and what the codec may import.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

import { ERRORS } from '../../src/errors.js';
import { LIMITS } from '../../src/limits.js';

const ROOT = new URL('../../../', import.meta.url);
const DOC = readFileSync(new URL('docs/protocol.md', ROOT), 'utf8');
const CODEC = new URL('src/fcgi-protocol/', ROOT);

test('every limit in docs/protocol.md has the value of limits.ts', () => {
  const rows = [...DOC.matchAll(/^\| `(\w+)` +\| +(\d+) \|/gm)];
  assert.ok(rows.length >= 8);
  const limits: Readonly<Record<string, number>> = LIMITS;
  for (const [, name = '', value] of rows) assert.equal(Number(value), limits[name], name);
});

test('every error code in docs/protocol.md is in the catalogue, with the status that is told', () => {
  const codes: Readonly<Record<string, { status: number }>> = ERRORS;
  for (const [, code = ''] of DOC.matchAll(/`(E_\w+)`/g)) assert.ok(codes[code], code);
  const told = [...DOC.matchAll(/`(E_\w+)`,? \(?(\d{3})/g)];
  assert.ok(told.length > 0);
  for (const [, code = '', status] of told) assert.equal(codes[code]?.status, Number(status), code);
});

test('the codec imports nothing but the errors, the limits and node:buffer', () => {
  for (const file of readdirSync(CODEC)) {
    const source = readFileSync(new URL(file, CODEC), 'utf8');
    for (const [, from = ''] of source.matchAll(/from '([^']+)'/g)) {
      assert.match(from, /^(\.\/[\w-]+\.js|\.\.\/(errors|limits)\.js|node:buffer)$/, file);
    }
  }
});
