// Why an application is not one that could be started: each rule with where, what was found, what was expected, and what to do.
import type { RuntimeConfig } from '../config/index.js';
import { refuse, type Refusal } from './description.js';
import { INDEX_SCRIPTS, type Mark } from './marks.js';

type Runtimes = ReadonlyMap<string, RuntimeConfig>;

const manifestIn = (directory: string): string => `${directory}/usherd.toml`;

/** The manifest names a runtime that there is not. */
export const refuseUnknownRuntime = (
  directory: string,
  name: string,
  runtimes: Runtimes,
): Refusal =>
  refuse('E_RUNTIME_MISSING', {
    rule: 'manifest-runtime',
    path: manifestIn(directory),
    found: `runtime = "${name}", which usherd does not know`,
    expected: `one of ${[...runtimes.keys()].join(', ')}`,
    remedy:
      'name one of them, or delete the line: the files of the application then decide; another one is root’s to add ([runtimes] of the configuration)',
  });

/** Asked as an Authorizer, php-cgi runs the file that is asked for; HTTP and SCGI have no roles at all. */
export const refuseRole = (directory: string, role: string): Refusal =>
  refuse('E_MANIFEST_INVALID', {
    rule: 'manifest-roles',
    path: manifestIn(directory),
    found: `the role "${role}" in \`roles\`, and no program of its own that speaks FastCGI`,
    expected:
      'an app.fcgi or a `command` with protocol = "fastcgi", which alone can take that role',
    remedy: `take "${role}" out of \`roles\`, or give the application such a program`,
  });

/** It may still be a site: of plain files, or of scripts without an index. */
export function refuseEmpty(directory: string, runtimes: Runtimes): Refusal {
  const rows = [...runtimes.values()];
  const markers = rows.flatMap((row) => (row.kind === 'entry' ? row.markers : []));
  const ends = new Set(rows.flatMap(({ extensions }) => extensions));
  return refuse('E_APP_EMPTY', {
    rule: 'no-runtime',
    path: directory,
    found: 'no file that says what is to run',
    expected: `one of ${[...markers, ...INDEX_SCRIPTS].join(', ')}, or a usherd.toml that names a runtime or a command`,
    remedy: `put the program there under one of these names; a site of plain files, or of scripts (${[...ends].join(', ')}) that URLs name, needs nothing`,
  });
}

/** The manifest names a runtime, and the file is not there that it would start. */
export function refuseWithoutEntry(directory: string, { name, markers }: RuntimeConfig): Refusal {
  const names = markers.join(', ');
  return refuse('E_MANIFEST_INVALID', {
    rule: 'entry-missing',
    path: manifestIn(directory),
    found: `the runtime ${name}, and no file that it could start`,
    expected: `${markers.length === 1 ? names : `one of ${names}`} in ${directory}`,
    remedy: 'give the program that name, or name its language in `runtime`',
  });
}

const octal = (mode: number): string => mode.toString(8).padStart(4, '0');

export function refuseNotExecutable(directory: string, { name, mode }: Mark): Refusal {
  const path = `${directory}/${name}`;
  return refuse('E_ACCESS_REFUSED', {
    rule: 'entry-executable',
    path,
    found: `mode ${octal(mode)}, which lets nobody execute it`,
    expected: 'a program that its owner may execute',
    remedy: `chmod u+x ${path}`,
  });
}
