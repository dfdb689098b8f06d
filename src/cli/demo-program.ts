// The program that the demo runs: this one where it lies, or a copy of it where other accounts could not read it.
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isReachable } from './reachable.js';

const PACKAGE_ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const MAIN = 'dist/src/main.js';

export interface Program {
  readonly node: string;
  readonly main: string;
  /** The folder with the example applications. */
  readonly examples: string;
}

/** Names of the packages that the program needs when it runs, with those that they need. */
function runtimePackages(root: string): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (folder: string): void => {
    const text = readFileSync(join(folder, 'package.json'), 'utf8');
    const manifest = JSON.parse(text) as { readonly dependencies?: Record<string, string> };
    for (const name of Object.keys(manifest.dependencies ?? {})) {
      const inner = join(root, 'node_modules', name);
      // One that is not at the top lies inside the package that needs it, and is copied with that.
      if (found.has(name) || !existsSync(inner)) continue;
      found.add(name);
      visit(inner);
    }
  };
  visit(root);
  return found;
}

function copyProgram(to: string): string {
  const take = (path: string): void => {
    cpSync(join(PACKAGE_ROOT, path), join(to, path), { recursive: true, dereference: true });
  };
  take('package.json');
  take('dist/src');
  take('libexec');
  for (const name of runtimePackages(PACKAGE_ROOT)) take(join('node_modules', name));
  return join(to, MAIN);
}

function copyNode(to: string): string {
  const copy = join(to, 'node');
  copyFileSync(process.execPath, copy);
  chmodSync(copy, 0o755);
  return copy;
}

/**
 * Finds a Node and a usherd that every account can run. As root the router and the gateway are other accounts than the
 * one whose home or private directory this checkout may lie in. Copies go below `directory`.
 */
export function stageProgram(directory: string, isRoot: boolean): Program {
  const examples = join(PACKAGE_ROOT, 'examples');
  const main = join(PACKAGE_ROOT, MAIN);
  const inPlace = { node: process.execPath, main, examples };
  if (!isRoot) return inPlace;
  const copies = join(directory, 'program');
  mkdirSync(copies);
  return {
    node: isReachable(process.execPath) ? process.execPath : copyNode(copies),
    main:
      isReachable(main) && isReachable(join(PACKAGE_ROOT, 'node_modules/zod/package.json'))
        ? main
        : copyProgram(copies),
    examples,
  };
}
