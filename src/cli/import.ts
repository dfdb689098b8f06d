// `usherd import`: prints what the configuration of PHP-FPM or mod_fcgid would be here; changes nothing.
import { readFileSync } from 'node:fs';
import { ExitCode, UsherdError } from '../errors.js';
import { importFcgid, importFpm, type Draft } from '../migration/index.js';
import { textOf, type Command } from './command.js';
import { print } from './terminal.js';

const SOURCES: ReadonlyMap<string, (text: string) => readonly Draft[]> = new Map([
  ['fcgid', importFcgid],
  ['fpm', importFpm],
]);

export const importCommand: Command = {
  usage: 'import <from> <file>',
  summary: 'print what a configuration of mod_fcgid (fcgid) or PHP-FPM (fpm) is here',
  words: { from: [...SOURCES.keys()] },
  options: {
    'dry-run': { type: 'boolean', summary: 'change nothing, as always', default: true },
  },
  run(args) {
    const from = SOURCES.get(textOf(args, 'from') ?? '');
    if (from === undefined) throw new UsherdError('E_USAGE', 'import from fcgid or from fpm');
    const drafts = from(read(textOf(args, 'file') ?? ''));
    if (drafts.length === 0)
      throw new UsherdError('E_USAGE', 'nothing in this file is of that kind');
    print(drafts.map(String).join('\n\n'));
    return Promise.resolve(ExitCode.OK);
  },
};

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : '';
    throw new UsherdError('E_USAGE', `cannot read ${file}${code}`, { cause });
  }
}
