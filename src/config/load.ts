// From files to a Config: reads every file, judges all of them, and only then returns, or throws every finding at once.
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { LIMITS } from '../limits.js';
import { checkTogether, type Guide } from './check.js';
import type { Config, RuntimeConfig } from './config-types.js';
import { DEFAULT_FILE, USERS_DIRECTORY } from './defaults.js';
import { mergeLayers, type Layers } from './layers.js';
import { USER_NAME } from './names.js';
import { mainFileSchema, userFileSchema, type MainTable, type UserTable } from './schema.js';
import { mainSettings, userSettings, type Setting } from './origins.js';
import { Refusals } from './refusals.js';
import type { ReadOptions } from './read-text.js';
import { readSource, type SourceFile } from './source-file.js';
import { trustedUids } from './trusted-path.js';

export interface LoadOptions {
  readonly builtinRuntimes: readonly RuntimeConfig[];
  /** False where usherd runs as an ordinary user, whose own files are then trusted too. */
  readonly requireRootOwned: boolean;
}

/**
 * Reads the configuration: the file, or where none is named the default one if it exists, and users.d beside it.
 * @throws UsherdError E_CONFIG_UNSAFE, E_CONFIG_UNREADABLE or E_CONFIG_INVALID with every finding
 */
export const loadConfig = async (file: string | undefined, options: LoadOptions): Promise<Config> =>
  (await loadSettings(file, options)).config;

/** A configuration that still knows where each value comes from. */
export interface LoadedSettings {
  readonly config: Config;
  readonly main: () => readonly Setting[];
  readonly ofUser: (user: string) => readonly Setting[];
}

/** @throws UsherdError as loadConfig() does */
export async function loadSettings(
  file: string | undefined,
  options: LoadOptions,
): Promise<LoadedSettings> {
  const path = resolve(file ?? DEFAULT_FILE);
  const readAtMs = Date.now(); // before the first byte: a change on the way is a change after it
  const refusals = new Refusals();
  const trusted = trustedUids(options.requireRootOwned);
  const main = await readSource(path, mainFileSchema, {
    trusted,
    refusals,
    mustExist: file !== undefined,
  });
  const users = await readUserFiles(join(dirname(path), USERS_DIRECTORY), { trusted, refusals });
  const layers = { ...layersOf(path, main, users), readAtMs };
  const config = mergeLayers(layers, {
    builtinRuntimes: options.builtinRuntimes,
    memoryBytes: availableMemoryBytes(),
  });
  const guide = guideOf(path, main, users);
  if (main !== 'refused') {
    refusals.add('E_CONFIG_INVALID', checkTogether(layers, config, guide));
  }
  refusals.throwIfAny();
  return {
    config,
    main: () => mainSettings(layers, config, guide),
    ofUser: (user) => userSettings({ layers, config, guide }, user),
  };
}

type UserFiles = ReadonlyMap<string, SourceFile<UserTable>>;
type MainFile = SourceFile<MainTable> | 'missing' | 'refused';

function layersOf(path: string, main: MainFile, users: UserFiles): Layers {
  const userFiles = new Map([...users].map(([name, { table }]) => [name, table]));
  const digest = digestOf(main, users);
  return typeof main === 'string'
    ? { file: '', digest, main: {}, userFiles }
    : { file: path, digest, main: main.table, userFiles };
}

function digestOf(main: MainFile, users: UserFiles): string {
  const hash = createHash('sha256');
  const add = (name: string, text: string): void =>
    void hash.update(`${JSON.stringify([name, text])}\n`);
  if (typeof main !== 'string') add('', main.text);
  for (const [name, { text }] of users) add(name, text);
  return hash.digest('hex');
}

/** Of the machine, or of our cgroup if it may use less. */
function availableMemoryBytes(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}

async function readUserFiles(
  directory: string,
  options: Omit<ReadOptions, 'mustExist'>,
): Promise<UserFiles> {
  const files = new Map<string, SourceFile<UserTable>>();
  for (const user of await userFileNames(directory, options.refusals)) {
    const path = join(directory, `${user}.toml`);
    const file = await readSource(path, userFileSchema, { ...options, mustExist: true });
    if (typeof file !== 'string') files.set(user, file);
  }
  return files;
}

/** The users that have a file. Dot files and everything without .toml are editors' and packagers' leavings. */
async function userFileNames(directory: string, refusals: Refusals): Promise<readonly string[]> {
  const users = (await entries(directory, refusals))
    .filter((name) => name.endsWith('.toml') && !name.startsWith('.'))
    .map((name) => name.slice(0, -'.toml'.length))
    .sort();
  if (users.length > LIMITS.configUserFilesMaxCount) {
    refusals.addFile(directory, {
      found: `${users.length} files`,
      expected: `at most ${LIMITS.configUserFilesMaxCount}`,
      remedy: 'remove the files of users who have no settings of their own',
    });
    return [];
  }
  for (const user of users.filter((name) => !USER_NAME.test(name))) {
    refusals.addFile(join(directory, `${user}.toml`), {
      found: 'a file name that is no account name',
      expected: 'NAME.toml, where NAME is the account',
      remedy: 'rename or remove the file',
    });
  }
  return users.filter((name) => USER_NAME.test(name));
}

async function entries(directory: string, refusals: Refusals): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (err) {
    const code = err instanceof Error && 'code' in err ? String(err.code) : String(err);
    if (code === 'ENOENT') return [];
    refusals.addFile(directory, {
      found: `an error of the system: ${code}`,
      expected: 'a directory that can be listed',
      remedy: 'mend it or remove it',
    });
    return [];
  }
}

/** Where keys stand, and which of them are sound enough to be judged together. */
function guideOf(path: string, main: MainFile, users: UserFiles): Guide {
  const inMain = typeof main === 'string' ? undefined : main;
  return {
    place(key, user) {
      const own = user === undefined ? undefined : users.get(user);
      const [first] = key;
      if (own !== undefined && first !== undefined && Object.hasOwn(own.table, first)) {
        return own.explainer.place(key);
      }
      return inMain?.explainer.place(user === undefined ? key : ['users', user, ...key]) ?? path;
    },
    isSound(key, user) {
      const mainKey = user === undefined ? String(key[0]) : 'users';
      const own = user === undefined ? undefined : users.get(user);
      return inMain?.troubled.has(mainKey) !== true && (own?.troubled.size ?? 0) === 0;
    },
  };
}
