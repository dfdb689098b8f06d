// Every rule by which an account or an application is refused has one fixture that breaks it, with its exact words.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { brokenAccountsOf, JUDGED_ACCOUNTS } from '../support/broken-accounts.js';
import { BROKEN_MACHINES, BROKEN_PROGRAMS, BROKEN_RULES } from '../support/broken-applications.js';
import { BROKEN_RUNTIMES } from '../support/broken-manifests.js';

const ROOT = join(import.meta.dirname, '../../..');
const NAME = '([a-z]+(?:-[a-z]+)+)';
/** A rule in a finding, one that is passed on to what makes the finding, and whatever else is called like one. */
const MENTIONS = [
  new RegExp(`\\brule: '${NAME}'`, 'g'),
  new RegExp(`\\b(?:refused|[a-z]+Finding)\\(\\s*'${NAME}'`, 'g'),
  /'((?:account|uid|gid|app-directory|manifest|entry|env-file|program|private|isolation)-[a-z-]+)'/g,
];

const BY_FIXTURE = [
  ...[
    ...BROKEN_RULES,
    ...BROKEN_PROGRAMS,
    ...BROKEN_MACHINES,
    ...BROKEN_RUNTIMES,
    ...JUDGED_ACCOUNTS,
  ],
  ...Object.values(brokenAccountsOf(0)),
].map(({ rule }) => rule);

/** Rules that refuse no application for what it or its account is, and why they have no such fixture. */
const OTHERS: Readonly<Record<string, RegExp>> = {
  'of a start of usherd itself':
    /^(?:not-root|tool-.+|supervisor-.+|run-directory|inherited-descriptor|router-account|socket-path|account-numeric|account-database)$/,
  'of the proof of a drop: with a sound kernel nothing breaks it': /^drop-.+$/,
  'of a database that gave no answer: nothing is refused, it is asked again':
    /^account-lookup(?:s|-failed|-deadline)$/,
  'of what the supervisor sends: the schema has refused it before':
    /^(?:program-(?:folder|needs|size|text|umask|walls)|environment-name|account-name)$/,
  'of names of runtimes and users, which an application cannot give': /^config-name$/,
  'of what changes while it runs': /^uid-reassigned$/,
};

/** Where the findings of a manifest are made; the rest of the folder is about root’s files. */
const OF_MANIFESTS: readonly string[] = ['explain.ts', 'toml.ts'];

function rulesIn(folder: string, only?: readonly string[]): readonly string[] {
  const files = only ?? readdirSync(join(ROOT, folder)).filter((name) => name.endsWith('.ts'));
  return files.flatMap((name) => {
    const text = readFileSync(join(ROOT, folder, name), 'utf8');
    return MENTIONS.flatMap((mention) => [...text.matchAll(mention)].map(([, rule = '']) => rule));
  });
}

const FOLDERS = ['src/privdrop', 'src/spawner', 'src/runtimes'];
const RULES = new Set([
  ...FOLDERS.flatMap((folder) => rulesIn(folder)),
  ...rulesIn('src/config', OF_MANIFESTS),
]);
const otherwise = (rule: string): boolean =>
  Object.values(OTHERS).some((pattern) => pattern.test(rule));

test('no rule is without a fixture that breaks it', () => {
  const without = [...RULES].filter((rule) => !BY_FIXTURE.includes(rule) && !otherwise(rule));
  assert.deepEqual(without, []);
});

test('no fixture is of a rule that there is not, and none of one that is excused', () => {
  assert.deepEqual(
    BY_FIXTURE.filter((rule) => !RULES.has(rule) || otherwise(rule)),
    [],
  );
});

test('no excuse is for nothing', () => {
  for (const [why, pattern] of Object.entries(OTHERS)) {
    assert.ok(
      [...RULES].some((rule) => pattern.test(rule)),
      why,
    );
  }
});

test('the table of suEXEC’s checks in docs/security.md names rules that there are', () => {
  const text = readFileSync(join(ROOT, 'docs/security.md'), 'utf8');
  const [, table = ''] = text.split("## suEXEC's and suPHP's checks");
  const rows = (table.split('\n## ')[0] ?? '').split('\n').filter((line) => line.startsWith('| '));
  const named = rows.flatMap((line) =>
    [...line.matchAll(new RegExp(`\`${NAME}\``, 'g'))].map(([, rule = '']) => rule),
  );
  assert.ok(named.length > 15);
  assert.deepEqual(
    named.filter((rule) => !RULES.has(rule) && rule !== 'refused-path'), // a reason id: E_PATH_REFUSED
    [],
  );
});
