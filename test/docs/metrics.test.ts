// Every metric that a document, the dashboard or an alert names is there, and docs/metrics.md names them all.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ERRORS } from '../../src/errors.js';
import { GROUP_FAMILIES, MACHINE_FAMILIES } from '../../src/router/metrics/families.js';

const ROOT = join(import.meta.dirname, '../../..');
const text = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const FAMILIES = [...GROUP_FAMILIES, ...MACHINE_FAMILIES];

/** As they stand in a scrape. */
const NAMES: ReadonlySet<string> = new Set([
  'usherd_build',
  ...FAMILIES.flatMap(({ name, type }) => {
    if (type === 'counter') return [`${name}_total`];
    return type === 'gauge' ? [name] : [`${name}_bucket`, `${name}_sum`, `${name}_count`];
  }),
]);

interface Generator {
  readonly metricsDocument: (families: object) => string;
}

test('docs/metrics.md is the list in the code (if not: node scripts/metrics-doc.mjs)', async () => {
  const { metricsDocument } = (await import(join(ROOT, 'scripts/metrics-doc.mjs'))) as Generator;
  assert.equal(text('docs/metrics.md'), metricsDocument({ GROUP_FAMILIES, MACHINE_FAMILIES }));
});

test('names are of the form that Prometheus asks for, and there is none twice', () => {
  const names = FAMILIES.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  for (const { name, type, help } of FAMILIES) {
    assert.match(name, /^usherd_[a-z_]+[a-z]$/);
    assert.doesNotMatch(name, /_(?:total|ms|kib|mib|percent)$/);
    assert.match(help, /^\S.*\.$/, name);
    if (type === 'histogram') assert.match(name, /_seconds$/);
  }
});

interface Target {
  readonly expr: string;
}
interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets: readonly Target[] }[];
}

test('the dashboard asks only for metrics that there are, in every panel', () => {
  const { panels } = JSON.parse(text('conf.example/metrics/usherd-dashboard.json')) as Dashboard;
  assert.ok(panels.length > 10);
  for (const { title, targets } of panels) {
    assert.ok(targets.length > 0, title);
    for (const { expr } of targets) assertKnown(expr, title);
  }
});

test('every alert asks for metrics and reasons that there are, and says what to do', () => {
  const rules = text('conf.example/metrics/usherd-alerts.yml')
    .split(/^ {6}- alert: /m)
    .slice(1);
  assert.ok(rules.length > 8);
  const reasons: ReadonlySet<string> = new Set(Object.values(ERRORS).map(({ reason }) => reason));
  for (const rule of rules) {
    const [name = ''] = rule.split('\n');
    const expr = /^ {8}expr: (.*)$/m.exec(rule)?.[1] ?? '';
    assertKnown(expr, name);
    assert.match(rule, /^ {10}summary: .+$/m, name);
    assert.match(rule, /^ {10}description: .+$/m, name);
    const asked = /usherd_request_failures_total\{reason=~"([^"]*)"/.exec(expr)?.[1] ?? '';
    for (const reason of asked.split('|').filter((it) => it !== '')) {
      assert.ok(reasons.has(reason), `${name}: ${reason}`);
    }
  }
});

function assertKnown(expr: string, where: string): void {
  const asked = expr.match(/\busherd_[a-z_]+/g) ?? [];
  assert.ok(asked.length > 0, where);
  for (const name of asked) assert.ok(NAMES.has(name), `${where}: ${name}`);
}
