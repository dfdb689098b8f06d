// Every item of the wire checklist is tried by a test that carries its number, or docs/protocol.md says why not.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const CHECKOUT = join(import.meta.dirname, '../../..');
const ITEMS_COUNT = 93;

/** `item 7:`, `items 56 and 57:`, `items 9 to 11:`, `items 1, 2 and 5:` at the beginning of a name. */
const NUMBERS = /['"`]items? ((?:\d+(?:, | and | to )?)+)[: ]/g;

function numbersOf(list: string): number[] {
  const range = /^(\d+) to (\d+)$/.exec(list);
  if (range === null) return list.split(/, | and /).map(Number);
  const [first, last] = [Number(range[1]), Number(range[2])];
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

const tested = new Set<number>();
for (const name of readdirSync(join(CHECKOUT, 'test'), { recursive: true, encoding: 'utf8' })) {
  if (!name.endsWith('.test.ts')) continue;
  const text = readFileSync(join(CHECKOUT, 'test', name), 'utf8');
  for (const [, list = ''] of text.matchAll(NUMBERS)) numbersOf(list).forEach((n) => tested.add(n));
}

const document = readFileSync(join(CHECKOUT, 'docs/protocol.md'), 'utf8');
const section = document.slice(document.indexOf('## The wire checklist'));
const explained = new Set(
  [...section.matchAll(/^\| (\d+) +\|/gm)].map(([, number]) => Number(number)),
);

test('every item of the wire checklist is tested or explained', () => {
  const all = Array.from({ length: ITEMS_COUNT }, (_, i) => i + 1);
  const missing = all.filter((item) => !tested.has(item) && !explained.has(item));
  assert.deepEqual(missing, []);
});

test('no test and no row has a number that the checklist does not', () => {
  const strange = [...tested, ...explained].filter((item) => item < 1 || item > ITEMS_COUNT);
  assert.deepEqual(strange, []);
});

test('every file that a row names is there', () => {
  const files = [...section.matchAll(/`(test\/[^`]+)`/g)].map(([, file = '']) => file);
  assert.ok(files.length > 0);
  assert.deepEqual(
    files.filter((file) => !existsSync(join(CHECKOUT, file))),
    [],
  );
});
