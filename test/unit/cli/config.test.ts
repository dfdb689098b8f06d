// What `usherd config` makes of an application that runs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatSettings, withApplication } from '../../../src/cli/config.js';

const SETTINGS = [
  { key: 'queue_length', value: '100', origin: 'default' },
  { key: 'idle_timeout', value: '"5m"', origin: '/etc/usherd/usherd.toml:7' },
  { key: 'access_log', value: '"off"', origin: 'default' },
];
const APP = {
  hasManifest: true,
  limits: { queueLength: 10, idleTimeoutMs: 300_000 },
  accessLog: 'on',
  argv: ['/usr/bin/php-cgi'],
  runtime: 'php',
};

test('what an application changed comes from its manifest, the rest from where it came', () => {
  const rows = withApplication(SETTINGS, APP);
  assert.deepEqual(rows.slice(0, 3), [
    { key: 'queue_length', value: '10', origin: 'usherd.toml of the application' },
    SETTINGS[1],
    { key: 'access_log', value: '"on"', origin: 'usherd.toml of the application' },
  ]);
  assert.ok(rows.some(({ key, value }) => key === 'runtime' && value === '"php"'));
});

test('without a manifest it is the limit of the user that counts', () => {
  const [first] = withApplication(SETTINGS, { ...APP, hasManifest: false });
  assert.equal(first?.origin, 'the limits of its user');
});

test('where nobody limits the requests of a worker, what its runtime has is shown', () => {
  const rows = [{ key: 'max_requests', value: '0', origin: 'default' }];
  const shown = (maxRequests: number, ofRuntime: number): string => {
    const app = { ...APP, limits: { ...APP.limits, maxRequests }, maxRequests: ofRuntime };
    const [row] = withApplication(rows, app);
    return `${row?.value ?? ''} of ${row?.origin ?? ''}`;
  };
  assert.equal(shown(0, 10_000), '10000 of runtime php');
  assert.equal(shown(0, 0), '0 of default');
  assert.equal(shown(50, 50), '50 of usherd.toml of the application');
});

test('settings are a table, long values are cut, and nothing reaches the terminal as a command', () => {
  const text = formatSettings([
    { key: 'a', value: `"${'x'.repeat(200)}\u001b"`, origin: '\u001b' },
  ]);
  assert.match(text, /^SETTING +VALUE +FROM\na +"x{69}\.\.\. +\?$/);
});
