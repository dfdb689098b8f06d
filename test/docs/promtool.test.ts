// Prometheus itself on the alerts and on what the dashboard asks: it takes every rule and every expression.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { scratchDirectory } from '../support/scratch.js';

const METRICS = join(import.meta.dirname, '../../../conf.example/metrics');
const PROMTOOL = process.env['PROMTOOL'] ?? 'promtool';

const absent =
  spawnSync(PROMTOOL, ['--version']).status === 0 ? false : 'promtool is not installed';

function checkRules(file: string): { readonly status: number | null; readonly said: string } {
  const { status, stdout, stderr } = spawnSync(PROMTOOL, ['check', 'rules', file], {
    encoding: 'utf8',
  });
  return { status, said: `${stdout}${stderr}` };
}

interface Dashboard {
  readonly panels: readonly { readonly targets: readonly { readonly expr: string }[] }[];
}

describe('promtool', { skip: absent }, () => {
  test('takes the alerts', () => {
    const { status, said } = checkRules(join(METRICS, 'usherd-alerts.yml'));
    assert.equal(status, 0, said);
    assert.match(said, /SUCCESS: 11 rules found/);
  });

  test('takes every expression of the dashboard, with what Grafana puts into it', (t) => {
    const { panels } = JSON.parse(
      readFileSync(join(METRICS, 'usherd-dashboard.json'), 'utf8'),
    ) as Dashboard;
    const rules = panels
      .flatMap(({ targets }) => targets)
      .map(({ expr }, at) => ({
        record: `panel:${at}`,
        expr: expr.replaceAll('$__rate_interval', '1m').replaceAll('$user', '.*'),
      }));
    assert.ok(rules.length > 20);
    const file = join(scratchDirectory(t), 'panels.yml');
    // JSON is YAML.
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'panels', rules }] }));
    const { status, said } = checkRules(file);
    assert.equal(status, 0, said);
  });
});
