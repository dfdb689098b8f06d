// The manual pages and the configuration reference: complete, made from the code's own words, and accepted by man(1).
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { allCommands } from '../../src/cli/index.js';
import { manifestSchema } from '../../src/config/manifest.js';
import { keyPathsOf } from '../../src/config/schema-keys.js';
import { mainFileSchema } from '../../src/config/schema.js';
import { scratchDirectory } from '../support/scratch.js';

const COMMANDS = await allCommands();
const ROOT = join(import.meta.dirname, '../../..');

interface Maker {
  readonly configurationReference: () => string;
  readonly manualPages: (commands: typeof COMMANDS) => Readonly<Record<string, string>>;
}
const { configurationReference, manualPages } = (await import(
  join(ROOT, 'scripts/manual.mjs')
)) as Maker;
const PAGES = manualPages(COMMANDS);

test('docs/configuration.md says what the commented examples say (if not: node scripts/manual.mjs)', () => {
  const text = readFileSync(join(ROOT, 'docs/configuration.md'), 'utf8');
  assert.equal(text, configurationReference());
});

const noMan = spawnSync('man', ['--version']).status === 0 ? false : 'man-db is not installed';

const lastNames = (schema: unknown): readonly string[] =>
  keyPathsOf(schema).map((path) => path.filter((name) => name !== '*').at(-1) ?? '');

test('man(1) renders every page without a warning', { skip: noMan }, (t) => {
  const directory = scratchDirectory(t);
  for (const [name, page] of Object.entries(PAGES)) {
    const file = join(directory, name);
    writeFileSync(file, page);
    const env = { ...process.env, LC_ALL: 'C.UTF-8', MANWIDTH: '80', MAN_KEEP_FORMATTING: '' };
    const { status, stdout, stderr } = spawnSync('man', ['--warnings', '-l', file], {
      encoding: 'utf8',
      env,
    });
    assert.deepEqual({ name, status, stderr }, { name, status: 0, stderr: '' });
    assert.match(stdout, /NAME\n/);
  }
});

test('usherd(1) has every command and every option', () => {
  const page = (PAGES['usherd.1'] ?? '').replaceAll('\\-', '-');
  for (const { usage, options } of COMMANDS) {
    assert.ok(page.includes(`"usherd ${usage}"`), usage);
    for (const name of Object.keys(options)) assert.ok(page.includes(`--${name}`), name);
  }
});

test('the pages of section 5 have every key of the schema', () => {
  const inPage = (page: string, name: string): boolean => new RegExp(`\\b${name}\\b`).test(page);
  for (const name of lastNames(mainFileSchema)) {
    assert.ok(inPage(PAGES['usherd.toml.5'] ?? '', name), `usherd.toml(5): ${name}`);
  }
  const ownPage = PAGES['usherd-app.toml.5'] ?? '';
  for (const [first = '', ...rest] of keyPathsOf(manifestSchema)) {
    // Of tables, the page has the name: [limits] are those of usherd.toml(5), the names in [env] and [php] are free.
    const isTable = rest.length > 0 || first === 'env';
    const found = isTable ? ownPage.includes(`"[${first}]"`) : inPage(ownPage, first);
    assert.ok(found, `usherd-app.toml(5): ${first}`);
  }
});
