// Which modules a program loads: asked of Node's own loader, so that nothing which is only meant to be there counts.
import { execFile } from 'node:child_process';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(import.meta.dirname, '../../..');

/** Reports every module that the loader loads, and at the end what CommonJS modules required. Node 26 warns of `register`. */
const LOAD = `(url, context, next) => { writeSync(2, 'LOADED ' + url + '\\n'); return next(url, context); }`;
const LOADER = `import { writeSync } from 'node:fs'; export const load = ${LOAD};`;
const REGISTRAR = `
import { writeSync } from 'node:fs';
import * as modules from 'node:module';
if (modules.registerHooks === undefined) modules.register('data:text/javascript,' + ${JSON.stringify(encodeURIComponent(LOADER))});
else modules.registerHooks({ load: ${LOAD} });
process.on('exit', () => {
  for (const path of Object.keys(modules.createRequire(process.argv[1]).cache)) writeSync(2, 'LOADED ' + path + '\\n');
});`;

export interface Loaded {
  /** Below the root of the checkout. */
  readonly paths: readonly string[];
  readonly packages: ReadonlySet<string>;
  readonly code: number;
  readonly stderr: string;
}

/** Runs a file below dist/src with these arguments to its end. */
export function loadedBy(file: string, args: readonly string[] = []): Promise<Loaded> {
  const importing = `data:text/javascript,${encodeURIComponent(REGISTRAR)}`;
  const argv = ['--import', importing, join(ROOT, 'dist/src', file), ...args];
  return new Promise((resolve) => {
    execFile(process.execPath, argv, { encoding: 'utf8', cwd: ROOT }, (err, _stdout, stderr) => {
      const paths = [...stderr.matchAll(/^LOADED (.*)$/gm)]
        .map(([, name = '']) => (name.startsWith('file:') ? fileURLToPath(name) : name))
        .filter((name) => name.startsWith('/'))
        .map((path) => relative(ROOT, path));
      const packages = new Set(paths.map(packageOf).filter((name) => name !== undefined));
      const said = stderr.replace(/^LOADED .*\n/gm, '');
      resolve({ paths, packages, code: err === null ? 0 : Number(err.code), stderr: said });
    });
  });
}

const packageOf = (path: string): string | undefined =>
  /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1];
