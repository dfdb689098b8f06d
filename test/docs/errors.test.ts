// docs/errors.md says what src/errors.ts says.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { allCommands, nameOf } from '../../src/cli/index.js';
import { ERRORS } from '../../src/errors.js';

const ROOT = join(import.meta.dirname, '../../..');

interface Generator {
  readonly errorsDocument: (errors: typeof ERRORS) => string;
}

test('docs/errors.md is the catalogue (if not: node scripts/errors-doc.mjs)', async () => {
  const { errorsDocument } = (await import(join(ROOT, 'scripts/errors-doc.mjs'))) as Generator;
  assert.equal(readFileSync(join(ROOT, 'docs/errors.md'), 'utf8'), errorsDocument(ERRORS));
});

test('an answer has a reason, and a reason an answer', () => {
  for (const [code, { status, reason }] of Object.entries(ERRORS)) {
    assert.equal(status === 0, reason === '', code);
    if (reason !== '') assert.match(reason, /^[a-z][a-z-]*$/, code);
  }
});

test('every meaning and remedy is a phrase without a full stop', () => {
  for (const [code, { meaning, remedy }] of Object.entries(ERRORS)) {
    for (const text of [meaning, remedy]) assert.match(text, /^\S.*[^.\s]$/, code);
  }
});

test('a remedy names only settings and commands that there are', async () => {
  const example = readFileSync(join(ROOT, 'conf.example/usherd.toml'), 'utf8');
  const manifest = readFileSync(join(ROOT, 'src/config/manifest.ts'), 'utf8');
  const settings = new Set(`${example} ${manifest}`.match(/[a-z]+(?:_[a-z]+)+/g));
  const commands = new Set((await allCommands()).map(nameOf));
  for (const [code, { remedy }] of Object.entries(ERRORS)) {
    const text: string = remedy;
    for (const [name] of text.matchAll(/\b[a-z]+(?:_[a-z]+)+\b/g)) {
      assert.ok(settings.has(name), `${code}: there is no setting ${name}`);
    }
    for (const [, name = ''] of text.matchAll(/`usherd ([a-z][a-z-]*)/g)) {
      assert.ok(commands.has(name), `${code}: there is no command ${name}`);
    }
  }
});
