// `usherd import`: prints what the configuration of PHP-FPM or mod_fcgid would be here; changes nothing.
import { readFileSync } from 'node:fs';
import { ExitCode, UsherdError } from '../errors.js';
import { importFcgid, importFpm, type Draft } from '../migration/index.js';
import { textOf, type Arguments } from './command.js';
import { IMPORT_SOURCES, oneOf, type ImportSource } from './command-words.js';
import { print } from './terminal.js';

const SOURCES: Readonly<Record<ImportSource, (...texts: readonly string[]) => readonly Draft[]>> = {
  fcgid: importFcgid,
  fpm: importFpm,
};

export function importCommand(args: Arguments): Promise<number> {
  const from = oneOf(IMPORT_SOURCES, textOf(args, 'from') ?? '');
  if (from === undefined) throw new UsherdError('E_USAGE', 'import from fcgid or from fpm');
  const files = args['file'];
  const drafts = SOURCES[from](...(Array.isArray(files) ? files.map(String) : []).map(read));
  if (drafts.length === 0) {
    throw new UsherdError('E_USAGE', 'nothing in what was given is of that kind');
  }
  print(drafts.map(String).join('\n\n'));
  return Promise.resolve(ExitCode.OK);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : '';
    throw new UsherdError('E_USAGE', `cannot read ${file}${code}`, { cause });
  }
}
