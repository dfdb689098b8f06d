// Where what runs has its sockets and logs: all that a command needs which only asks it. Read without the schema; whether
// the rest of the files is right is load.ts's to say.
import { lstatSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { DEFAULT_FILE, DEFAULTS, defaultFrontSocket, USERS_DIRECTORY } from './defaults.js';
import { isPlainPath } from './names.js';
import { readText } from './read-text.js';
import { Refusals } from './refusals.js';
import { parseToml, type Table } from './toml.js';
import { trustedUids } from './trusted-path.js';

export interface Places {
  readonly run: string;
  readonly log: string;
  /** Of the front sockets, in the order of the file. */
  readonly fronts: readonly string[];
  /** False where the file has a mistake about them: then there is a default instead, or no front. */
  readonly isSound: boolean;
}

/** @throws UsherdError E_CONFIG_UNSAFE or E_CONFIG_UNREADABLE; mistakes in the text are no reason */
export async function readPlaces(
  file: string | undefined,
  { requireRootOwned }: { readonly requireRootOwned: boolean },
): Promise<Places> {
  const path = resolve(file ?? DEFAULT_FILE);
  const refusals = new Refusals();
  const trusted = trustedUids(requireRootOwned);
  const read = await readText(path, { trusted, refusals, mustExist: file !== undefined });
  refusals.throwIfAny();
  const parsed = parseToml(typeof read === 'string' ? '' : read.text, path);
  return parsed.ok ? placesIn(parsed.table) : { ...placesIn({}), isSound: false };
}

function placesIn(main: Table): Places {
  const paths = tableOf(main['paths']);
  const front = tableOf(main['front']);
  const run = pathOf(paths?.['run'], DEFAULTS.paths.run);
  const log = pathOf(paths?.['log'], DEFAULTS.paths.log);
  const base = run ?? DEFAULTS.paths.run;
  const fronts = frontsOf(front?.['sockets'], base);
  return {
    run: base,
    log: log ?? DEFAULTS.paths.log,
    fronts: fronts ?? [],
    isSound: [paths, front, run, log, fronts].every((value) => value !== undefined),
  };
}

/** An empty one where nothing stands; undefined for what is no table. */
function tableOf(value: unknown = {}): Table | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Table)
    : undefined;
}

const pathOf = (value: unknown, otherwise?: string): string | undefined => {
  if (value === undefined) return otherwise;
  return typeof value === 'string' && isPlainPath(value) ? value : undefined;
};

function frontsOf(value: unknown, run: string): readonly string[] | undefined {
  if (value === undefined) return [defaultFrontSocket(run)];
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const fronts = value.map((socket: unknown) => pathOf(tableOf(socket)?.['path']));
  const sound = fronts.filter((path) => path !== undefined);
  return sound.length === fronts.length ? sound : undefined;
}

/** File times may lie so far behind the clock. */
const FILE_TIME_SLACK_MS = 1_000;

/**
 * Whether a file of the configuration may be another than the one that was read at that time. By the time of change (ctime),
 * which nobody sets: one look a file, where reading thousands of users' files would keep a person waiting.
 */
export function mayHaveChanged(file: string | undefined, sinceMs: number): boolean {
  const path = resolve(file ?? DEFAULT_FILE);
  const directory = join(dirname(path), USERS_DIRECTORY);
  const paths = [path, directory, ...namesIn(directory).map((name) => join(directory, name))];
  return paths.some((it) => changeTimeOf(it) >= sinceMs - FILE_TIME_SLACK_MS);
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return []; // none there, or none for us to see
  }
}

/** 0 for what is not there. */
function changeTimeOf(path: string): number {
  try {
    return lstatSync(path).ctimeMs;
  } catch {
    return 0;
  }
}
