// The import directions are really checked: planted imports are caught, and allowed ones are not.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { scratchDirectory } from '../support/scratch.js';

const ROOT = join(import.meta.dirname, '../../..');
const FOLDERS = 'cli config fcgi-protocol gateway ipc pool privdrop router runtimes spawner'.split(
  ' ',
);

/** File, import, and whether it is allowed. */
const IMPORTS: readonly (readonly [file: string, line: string, isAllowed: boolean])[] = [
  ['router', "import '../spawner/index.js'", false],
  ['router', "import '../privdrop/index.js'", false],
  ['router', "import type { Face } from '../privdrop/index.js'", false],
  ['router', "import 'node:child_process'", false],
  ['router', "import 'child_process'", false],
  ['router', "import '../config/index.js'", false],
  ['router', "import '../runtimes/index.js'", false],
  ['router', "import '../fcgi-protocol/inner.js'", false],
  ['router', "import '../cli/index.js'", false],
  ['router', "import 'zod'", false],
  ['router', "import 'not-installed-anywhere'", false],
  ['router', "import type { Face } from '../config/index.js'", true],
  ['router', "import type { Face } from '../runtimes/index.js'", true],
  ['router', "import '../pool/index.js'", true],
  ['router', "import '../ipc/index.js'", true],
  ['router', "import 'node:net'", true],
  ['spawner', "import '../fcgi-protocol/index.js'", false],
  ['spawner', "import '../router/index.js'", false],
  ['spawner', "import '../pool/index.js'", false],
  ['spawner', "import '../gateway/index.js'", false],
  ['spawner', "import 'pino'", false],
  ['spawner', "import '../privdrop/index.js'", true],
  ['spawner', "import '../ipc/index.js'", true],
  ['spawner', "import 'node:child_process'", true],
  ['pool', "import '../fcgi-protocol/index.js'", false],
  ['pool', "import '../ipc/index.js'", false],
  ['pool', "import 'node:net'", false],
  ['pool', "import '../log.js'", false],
  ['pool', "import type { Face } from '../log.js'", true],
  ['pool', "import '../limits.js'", true],
  ['privdrop', "import '../log.js'", false],
  ['privdrop', "import '../config/index.js'", false],
  ['privdrop', "import type { Face } from '../config/index.js'", false],
  ['privdrop', "import 'zod'", false],
  ['privdrop', "import 'pino'", false],
  ['privdrop', "import '../errors.js'", true],
  ['fcgi-protocol', "import 'node:net'", false],
  ['fcgi-protocol', "import 'node:events'", false],
  ['fcgi-protocol', "import '../log.js'", false],
  ['fcgi-protocol', "import 'node:buffer'", true],
  ['ipc', "import '../fcgi-protocol/index.js'", false],
  ['ipc', "import '../router/index.js'", false],
  ['ipc', "import 'zod'", true],
  ['runtimes', "import 'node:fs'", false],
  ['runtimes', "import 'node:child_process'", false],
  ['runtimes', "import '../config/index.js'", false],
  ['gateway', "import '../router/index.js'", false],
  ['gateway', "import '../pool/index.js'", false],
  ['gateway', "import '../fcgi-protocol/index.js'", true],
  ['config', "import '../runtimes/index.js'", false],
  ['config', "import 'yargs'", false],
  ['config', "import 'smol-toml'", true],
  ['cli', "import '../spawner/inner.js'", false],
  ['cli', "import '../config/lean.js'", true],
  ['spawner', "import '../config/lean.js'", false],
  ['cli', "import 'yargs'", false],
  ['cli', "import '../router/index.js'", true],
];

interface Module {
  readonly source: string;
  /** For rules about what is reached in the end. */
  readonly valid: boolean;
  readonly dependencies: readonly { readonly valid: boolean }[];
}

/** A program with every folder, each with a face and an inside, and one file for each planted import. */
function plant(t: TestContext): string {
  const directory = scratchDirectory(t);
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  };
  for (const file of ['errors', 'limits', 'log']) write(`src/${file}.ts`, 'export type Face = 1;');
  for (const folder of FOLDERS) {
    write(`src/${folder}/index.ts`, 'export type Face = 1;');
    write(`src/${folder}/inner.ts`, 'export type Inner = 1;');
    write(`src/${folder}/lean.ts`, 'export type Lean = 1;');
  }
  for (const [at, [file, line]] of IMPORTS.entries()) {
    const path = file.includes('/') ? file : `${file}/planted-${at}`;
    write(`src/${path}.ts`, `${line};\nexport type Planted = 1;\n`);
  }
  write('src/config/schema.ts', "import 'zod';");
  write('src/config/lean.ts', "import './schema.js';");
  write('src/pool/one.ts', "import type { Two } from './two.js';\nexport type One = Two;");
  write('src/pool/two.ts', "import type { One } from './one.js';\nexport type Two = One;");
  write('package.json', '{ "type": "module" }');
  mkdirSync(join(directory, 'scripts/lib'), { recursive: true });
  for (const name of ['tsconfig.json', '.dependency-cruiser.cjs', 'scripts/lib/import-rows.cjs']) {
    copyFileSync(join(ROOT, name), join(directory, name));
  }
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
  return directory;
}

/** @returns for each file, whether all of its imports are allowed */
function cruise(directory: string): ReadonlyMap<string, boolean> {
  const program = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const args = [program, '--config=.dependency-cruiser.cjs', '--output-type=json', 'src'];
  const { stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: directory,
    encoding: 'utf8',
  });
  assert.equal(stderr, '');
  const { modules } = JSON.parse(stdout) as { modules: readonly Module[] };
  return new Map(
    modules.map(({ source, dependencies, valid }) => [
      source,
      valid && dependencies.every((it) => it.valid),
    ]),
  );
}

test('every forbidden import is caught and every allowed one is not', (t) => {
  const verdicts = cruise(plant(t));
  for (const [at, [file, line, isAllowed]] of IMPORTS.entries()) {
    const path = file.includes('/') ? file : `${file}/planted-${at}`;
    assert.equal(verdicts.get(`src/${path}.ts`), isAllowed, `${file}: ${line}`);
  }
  assert.equal(verdicts.get('src/pool/one.ts'), false, 'a cycle of types');
  assert.equal(verdicts.get('src/config/lean.ts'), false, 'a lean face that leads to a schema');
  assert.equal(verdicts.get('src/ipc/lean.ts'), true);
});

interface Row {
  readonly from: string;
  readonly ours: readonly string[];
  readonly types?: readonly string[];
  readonly packages: readonly string[];
  readonly node: 'all' | readonly string[];
  readonly notNode?: readonly string[];
}

const list = (names: readonly string[]): string => names.join(', ') || '–';

function tableOf(rows: readonly Row[]): string {
  const lines = rows.map(({ from, ours, types = [], packages, node, notNode = [] }) => {
    const name = from.replace(/^\^src\//, '').replace(/\/$|\\.ts\$$/, '');
    const but = notNode.length > 0 ? `all but ${notNode.join(', ')}` : 'all';
    const modules = node === 'all' ? but : list(node);
    return `| ${name} | ${list(ours)} | ${list(types)} | ${list(packages)} | ${modules} |`;
  });
  return lines.join('\n');
}

/** Tables in documents are padded for the eye. */
const unpadded = (text: string): string => text.replace(/ +\|/g, ' |').replace(/\| +/g, '| ');

test('docs/architecture.md has the same table', () => {
  const { ROWS } = createRequire(import.meta.url)(join(ROOT, 'scripts/lib/import-rows.cjs')) as {
    readonly ROWS: readonly Row[];
  };
  const text = readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8');
  assert.ok(unpadded(text).includes(tableOf(ROWS)), tableOf(ROWS));
});
