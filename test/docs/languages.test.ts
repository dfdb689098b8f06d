// README's table of languages says what the tests try, and what the runtimes' rows are.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { BUILTIN_RUNTIMES } from '../../src/runtimes/index.js';
import { LANGUAGES } from '../support/languages/cases.js';

const README = readFileSync(join(import.meta.dirname, '../../../README.md'), 'utf8');

/** Of the table under a heading, without its head. */
function rowsUnder(heading: string): readonly (readonly string[])[] {
  const section = README.split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const lines = section.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

test('the table of languages is that of the tests', () => {
  assert.deepEqual(
    rowsUnder('Languages'),
    LANGUAGES.map((one) => [
      one.language,
      one.marker,
      one.packages === '' ? '–' : one.packages,
      one.protocol,
      'all',
    ]),
  );
});

test('every built-in runtime is tried, with the protocol and the package of its row', () => {
  for (const { name, protocol, debianPackage, markers, extensions } of BUILTIN_RUNTIMES) {
    const signs = [...markers, ...extensions];
    const found = LANGUAGES.filter((one) => signs.some((sign) => one.marker.includes(sign)));
    assert.ok(found.length > 0, name);
    for (const one of found.filter(({ packages }) => packages !== '' && name !== 'fastcgi')) {
      assert.equal(one.protocol, { fastcgi: 'FastCGI', http: 'HTTP', scgi: 'SCGI' }[protocol]);
      assert.equal(one.packages, debianPackage, one.name);
    }
  }
});
