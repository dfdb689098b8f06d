// What the process that is root loads: asked of Node itself, so that nothing which is only meant to be there counts.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadedBy } from '../support/loaded-modules.js';

const ROOT = join(import.meta.dirname, '../../..');

/** security.md R-P1: what root's process may use, and what these bring along. */
const DIRECT = ['pino', 'smol-toml', 'zod'];
const BROUGHT_ALONG = [
  '@pinojs/redact',
  'atomic-sleep',
  'on-exit-leak-free',
  'pino-std-serializers',
  'quick-format-unescaped',
  'real-require',
  'safe-stable-stringify',
  'sonic-boom',
  'thread-stream',
];

test('the supervisor loads three packages and what they bring along, and no other', async () => {
  const { packages, code, stderr } = await loadedBy('cli/supervisor.js');
  assert.equal(code, 0, stderr);
  for (const name of DIRECT) assert.ok(packages.has(name), `${name} is not loaded any more`);
  const unknown = [...packages].filter((name) => ![...DIRECT, ...BROUGHT_ALONG].includes(name));
  assert.deepEqual(unknown, []);
});

test('the supervisor loads nothing that could parse a request, and no server of HTTP', async () => {
  const ours = (await loadedBy('cli/supervisor.js')).paths.filter((path) =>
    path.startsWith('dist/src/'),
  );
  assert.ok(ours.includes('dist/src/spawner/launch.js'));
  const foreign = /^dist\/src\/(?:router|fcgi-protocol|gateway|pool)\//;
  assert.deepEqual(
    ours.filter((path) => foreign.test(path)),
    [],
  );
});

test('the router loads nothing that starts a process', async () => {
  const ours = (await loadedBy('cli/router.js')).paths.filter((path) =>
    path.startsWith('dist/src/'),
  );
  assert.ok(ours.includes('dist/src/router/router.js'));
  const foreign = /^dist\/src\/(?:spawner|privdrop)\//;
  assert.deepEqual(
    ours.filter((path) => foreign.test(path)),
    [],
  );
});

interface Lock {
  readonly packages: Readonly<
    Record<string, { readonly dev?: boolean; readonly hasInstallScript?: boolean }>
  >;
}

test('no package that is shipped runs a script when it is installed, and neither does usherd', () => {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as Lock;
  const shipped = Object.entries(lock.packages).filter(([, { dev }]) => dev !== true);
  assert.ok(shipped.length > DIRECT.length);
  assert.deepEqual(
    shipped.filter(([, { hasInstallScript }]) => hasInstallScript === true).map(([name]) => name),
    [],
  );
  const text = readFileSync(join(ROOT, 'package.json'), 'utf8');
  const { scripts } = JSON.parse(text) as { readonly scripts: Readonly<Record<string, string>> };
  const automatic = /^(?:pre|post)?(?:install|prepare|publish|pack)$/;
  assert.deepEqual(
    Object.keys(scripts).filter((name) => automatic.test(name)),
    [],
  );
});
