// What a shell offers for a half-written command line: words and options that yargs knows, applications and users that run.
import { isUsherdError } from '../errors.js';
import { tablesIn, textOf } from './answer-fields.js';
import { nameOf, type Command } from './command.js';
import { askSupervisor, controlSocketIn } from './control-client.js';
import { loggedApplications } from './logged-applications.js';
import { placesIn } from './running.js';

/** A person waits with a finger on the key. */
const DEADLINE_MS = 500;

/**
 * Nothing where a shell does better by itself, with the names of files.
 * @param typed what stands behind `usherd`; the last one is being written
 * @param known what yargs would offer
 */
export async function complete(
  typed: readonly string[],
  known: readonly string[],
  commands: readonly Command[],
): Promise<string[]> {
  const current = typed.at(-1) ?? '';
  const before = typed.slice(0, -1);
  if (before.includes('--')) return []; // a command line of somebody else's
  if (current.startsWith('-')) return known.filter((option) => !LETTER.test(option));
  const words = known.filter((word) => !word.startsWith('-'));
  const command = commands.find((one) => nameOf(one) === before[0]);
  if (command === undefined) return words;
  if (awaitsValue(command, before.at(-1) ?? '')) return [];
  const kind = positionalOf(command, before);
  if (kind !== 'app' && kind !== 'user' && kind !== 'whose') return words;
  return [...words, ...(await names(before, kind, nameOf(command) === 'logs'))];
}

/** yargs offers them behind two dashes, which no manual says; with a name for human eyes behind a colon in zsh. */
const LETTER = /^--[a-z](?::|$)/;

/** `--config`, `-n`: what comes next is its value. */
function awaitsValue({ options }: Command, word: string): boolean {
  return Object.entries(options).some(
    ([name, { type, alias }]) =>
      type !== 'boolean' && (word === `--${name}` || (alias !== undefined && word === `-${alias}`)),
  );
}

/** The name of the positional argument that is being written; undefined if there are no more. */
function positionalOf(command: Command, before: readonly string[]): string | undefined {
  const taken = before.filter(
    (word, at) => !word.startsWith('-') && !awaitsValue(command, before[at - 1] ?? ''),
  );
  return command.usage.split(' ')[taken.length]?.slice(1, -1);
}

/** A shell has no place for complaints. */
async function names(
  before: readonly string[],
  kind: 'app' | 'user' | 'whose',
  hasLog: boolean,
): Promise<readonly string[]> {
  const at = before.indexOf('--config');
  const places = await placesIn(at < 0 ? undefined : before[at + 1]).catch(orUndefined);
  if (places === undefined) return [];
  // Of those without a worker, too, and for somebody whom the supervisor does not answer.
  if (hasLog) return loggedApplications(places);
  const request = { command: 'status' } as const;
  const status = await askSupervisor(controlSocketIn(places.run), request, DEADLINE_MS).catch(
    orUndefined,
  );
  const apps = [...new Set(tablesIn(status?.['apps']).map(({ app }) => textOf(app)))];
  const users = [...new Set(apps.map((app) => app.split('/')[0] ?? ''))];
  return kind === 'app' ? apps : kind === 'user' ? users : [...users, ...apps];
}

/** Nobody answers, or whoever asks is not root. */
function orUndefined(err: unknown): undefined {
  if (!isUsherdError(err)) throw err;
}
