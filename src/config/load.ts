// From files to a Config: reads every file, judges all of them, and only then returns, or throws every finding at once.
import { createHash } from 'node:crypto';
import { totalmem } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { Finding } from '../errors.js';
import { checkTogether, type Guide } from './check.js';
import type { Config, RuntimeConfig } from './config-types.js';
import { DEFAULT_FILE, USERS_DIRECTORY } from './defaults.js';
import { mergeLayers, type Layers } from './layers.js';
import { mainFileSchema, type MainTable } from './schema.js';
import { mainSettings, userSettings, type Setting } from './origins.js';
import { Refusals } from './refusals.js';
import { readSource, type SourceFile } from './source-file.js';
import { trustedUids } from './trusted-path.js';
import { readUserFiles, type UserFiles } from './user-files.js';

export interface LoadOptions {
  readonly builtinRuntimes: readonly RuntimeConfig[];
  /** False where usherd runs as an ordinary user, whose own files are then trusted too. */
  readonly requireRootOwned: boolean;
  /** What is wrong with the settings of one user keeps only him from having workers (`brokenUsers`), not everybody. */
  readonly sparesOthers?: boolean;
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
  const usersDirectory = join(dirname(path), USERS_DIRECTORY);
  const { files: users, troubles } = await readUserFiles(usersDirectory, { trusted, refusals });
  const layers = { ...layersOf(path, main, users), readAtMs };
  const merged = mergeLayers(layers, {
    builtinRuntimes: options.builtinRuntimes,
    memoryBytes: availableMemoryBytes(),
  });
  const guide = guideOf(path, main, users);
  const broken = new BrokenUsers(usersDirectory, options.sparesOthers === true);
  for (const [user, own] of troubles) if (!broken.takeFile(user, own)) refusals.addAll(own);
  const together = main === 'refused' ? [] : checkTogether(layers, merged, guide);
  for (const { finding, user } of together) {
    if (!broken.take(user, finding)) refusals.add('E_CONFIG_INVALID', [finding]);
  }
  refusals.throwIfAny();
  const config = { ...merged, brokenUsers: broken.findings };
  return {
    config,
    main: () => mainSettings(layers, config, guide),
    ofUser: (user) => userSettings({ layers, config, guide }, user),
  };
}

/** Those who are blamed for something, where others are to be spared. */
class BrokenUsers {
  readonly findings = new Map<string, Finding[]>();
  readonly #directory: string;
  readonly #sparesOthers: boolean;

  constructor(directory: string, sparesOthers: boolean) {
    this.#directory = directory;
    this.#sparesOthers = sparesOthers;
  }

  /** False if it is everybody's matter. */
  take(user: string | undefined, ...findings: readonly Finding[]): boolean {
    if (!this.#sparesOthers || user === undefined) return false;
    this.findings.set(user, [...(this.findings.get(user) ?? []), ...findings]);
    return true;
  }

  /** Where others could have written the directory, nobody knows what was said of whom. */
  takeFile(user: string, { findings }: Refusals): boolean {
    const file = join(this.#directory, `${user}.toml`);
    const isOwn = findings.every(({ path = '' }) => path.startsWith(file));
    return isOwn && this.take(user, ...findings);
  }
}

type UserTables = UserFiles['files'];
type MainFile = SourceFile<MainTable> | 'missing' | 'refused';

function layersOf(path: string, main: MainFile, users: UserTables): Layers {
  const userFiles = new Map([...users].map(([name, { table }]) => [name, table]));
  const digest = digestOf(main, users);
  return typeof main === 'string'
    ? { file: '', digest, main: {}, userFiles }
    : { file: path, digest, main: main.table, userFiles };
}

function digestOf(main: MainFile, users: UserTables): string {
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

/** Where keys stand, and which of them are sound enough to be judged together. */
function guideOf(path: string, main: MainFile, users: UserTables): Guide {
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
