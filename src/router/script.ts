// Which runtimes run files that a URL names, and where in a path the file ends.
import type { RuntimeConfig } from '../config/index.js';

/** What routing has to know about the configured runtimes; built once per configuration. */
export interface RuntimeTable {
  /** Runtime by extension (with the dot), script runtimes only. */
  readonly scripts: ReadonlyMap<string, string>;
  /** The extensions of each script runtime: several may have the same, as versions of one language do. */
  readonly extensions: ReadonlyMap<string, readonly string[]>;
  /** Names of the runtimes that run one program for every URL. */
  readonly entries: ReadonlySet<string>;
}

/** Where two runtimes claim one extension, the first in the configuration has it. */
export function runtimeTable(runtimes: ReadonlyMap<string, RuntimeConfig>): RuntimeTable {
  const scripts = new Map<string, string>();
  const extensions = new Map<string, readonly string[]>();
  const entries = new Set<string>();
  for (const runtime of runtimes.values()) {
    if (runtime.kind === 'entry') entries.add(runtime.name);
    else extensions.set(runtime.name, runtime.extensions);
    for (const extension of runtime.kind === 'script' ? runtime.extensions : []) {
      if (!scripts.has(extension)) scripts.set(extension, runtime.name);
    }
  }
  return { scripts, extensions, entries };
}

export interface ScriptPlace {
  /** Index behind the script in the path: path info follows. */
  readonly end: number;
  readonly runtime: string;
  readonly extension: string;
}

/** The application's own runtime runs its scripts, where it has asked for one that knows them. */
export const runtimeOfScript = (
  { runtime, extension }: ScriptPlace,
  own: string,
  { extensions }: RuntimeTable,
): string => (extensions.get(own)?.includes(extension) === true ? own : runtime);

// The one place where a program needs no extension.
const CGI_BIN = /^(?:\/public)?\/cgi-bin\/[^/]+/;

/** The first component that ends in a script extension; case counts, and so does only the last dot. */
export function findScript(
  path: string,
  scripts: ReadonlyMap<string, string>,
): ScriptPlace | undefined {
  let start = 1;
  while (start < path.length) {
    const slash = path.indexOf('/', start);
    const end = slash === -1 ? path.length : slash;
    const dot = path.lastIndexOf('.', end - 1);
    const extension = dot > start ? path.slice(dot, end) : '';
    const runtime = scripts.get(extension);
    if (runtime !== undefined) return { end, runtime, extension };
    start = end + 1;
  }
  const program = CGI_BIN.exec(path);
  const cgi = program === null ? undefined : scripts.get('.cgi');
  return program === null || cgi === undefined
    ? undefined
    : { end: program[0].length, runtime: cgi, extension: '.cgi' };
}
