// What the process that is root loads: asked of Node itself, so that nothing which is only meant to be there counts.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

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

/** Reports every module that the loader loads, and what CommonJS modules required. */
const LOADER = `
import { writeSync } from 'node:fs';
export async function load(url, context, next) { writeSync(2, 'LOADED ' + url + '\\n'); return next(url, context); }`;
const PROGRAM = `
import { createRequire, register } from 'node:module';
register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(LOADER)}));
await import(process.argv[1]);
const required = Object.keys(createRequire(import.meta.url).cache);
for (const path of required) console.error('LOADED ' + path);`;

function loadedBy(entry: string): readonly string[] {
  const url = pathToFileURL(join(ROOT, 'dist/src', entry)).href;
  const args = ['--input-type=module', '--eval', PROGRAM, url];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', cwd: ROOT });
  assert.equal(status, 0, stderr);
  return [...stderr.matchAll(/^LOADED (.*)$/gm)]
    .map(([, name = '']) => (name.startsWith('file:') ? fileURLToPath(name) : name))
    .filter((name) => name.startsWith('/'))
    .map((path) => relative(ROOT, path));
}

const packageOf = (path: string): string | undefined =>
  /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1];

test('the supervisor loads three packages and what they bring along, and no other', () => {
  const loaded = loadedBy('cli/supervisor.js');
  const packages = new Set(loaded.map(packageOf).filter((name) => name !== undefined));
  for (const name of DIRECT) assert.ok(packages.has(name), `${name} is not loaded any more`);
  const unknown = [...packages].filter((name) => ![...DIRECT, ...BROUGHT_ALONG].includes(name));
  assert.deepEqual(unknown, []);
});

test('the supervisor loads nothing that could parse a request, and no server of HTTP', () => {
  const ours = loadedBy('cli/supervisor.js').filter((path) => path.startsWith('dist/src/'));
  assert.ok(ours.includes('dist/src/spawner/launch.js'));
  const foreign = /^dist\/src\/(?:router|fcgi-protocol|gateway|pool)\//;
  assert.deepEqual(
    ours.filter((path) => foreign.test(path)),
    [],
  );
});

test('the router loads nothing that starts a process', () => {
  const ours = loadedBy('cli/router.js').filter((path) => path.startsWith('dist/src/'));
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
