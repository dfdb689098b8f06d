// docs/security.md against the tests: every attack has a number, a rule, and a test whose name says it, or a reason why not.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '../../..');
const ATTACKS_COUNT = 136;

interface Generator {
  readonly securityDocument: (text: string) => string;
}

const text = readFileSync(join(ROOT, 'docs/security.md'), 'utf8');
const rows = [...text.matchAll(/^\| T(\d+) \|(.*)\|$/gm)].map(([, number, rest = '']) => {
  const [attack = '', rules = '', cves = '', where = ''] = rest
    .split('|')
    .map((cell) => cell.trim());
  return { number: Number(number), attack, rules, cves, where };
});

test('the attacks are numbered without a gap', () => {
  const numbers = rows.map(({ number }) => number);
  assert.deepEqual(
    numbers,
    Array.from({ length: ATTACKS_COUNT }, (_, index) => index + 1),
  );
});

test('the table says where each attack is tried (if not: npm run docs)', async () => {
  const { securityDocument } = (await import(join(ROOT, 'scripts/security-doc.mjs'))) as Generator;
  assert.equal(securityDocument(text), text);
});

test('every attack is in the name of a test, or the table says why it is not', () => {
  const open = rows.filter(({ where }) => !/^(?:\[|not tried: \S.{20})/.test(where));
  assert.deepEqual(
    open.map(({ number }) => number),
    [],
  );
});

test('every rule that an attack names is explained', () => {
  const explained = new Set([...text.matchAll(/^\| (R-[A-Z]\d) \|/gm)].map(([, rule]) => rule));
  const named = rows.flatMap(({ rules }) => rules.split(' '));
  assert.deepEqual(
    named.filter((rule) => !explained.has(rule)),
    [],
  );
});

test('CVE numbers are written as such', () => {
  for (const { number, cves } of rows)
    assert.match(cves, /^(?:–|CVE-\d{4}-\d{4,}(?: CVE-\d{4}-\d{4,})*)$/, `T${number}`);
});
