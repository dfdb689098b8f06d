// Which layer a value comes from: for `usherd config`.
import type { Guide } from './check.js';
import type { Config } from './config-types.js';
import { formatDuration, formatSize, formatUmask } from './units.js';
import { valueAt, type KeyPath } from './key-path.js';
import type { Layers } from './layers.js';
import { LIMIT_NAMES, limitKey, type LimitName } from './limit-keys.js';
import { keyPathsOf } from './schema-keys.js';
import { mainFileSchema } from './schema.js';

export interface Setting {
  /** As it is written in the file: `limits.queue_length`. */
  readonly key: string;
  /** As it could be written there. */
  readonly value: string;
  /** `default`, or `file:line`. */
  readonly origin: string;
}

const DEFAULT = 'default';

/** Every key of the administrator's file but runtimes and users, which are tables of his own. */
export function mainSettings(layers: Layers, config: Config, guide: Guide): readonly Setting[] {
  const paths = keyPathsOf(mainFileSchema)
    .filter(([first]) => first !== 'users' && first !== 'runtimes')
    .map((path) => listed(config, path));
  const keys = [...new Set(paths.map((path) => path.join('.')))];
  return keys.map((key) => {
    const path = key.split('.');
    const isGiven = valueAt(layers.main, path) !== undefined;
    return { key, value: valueOf(config, path), origin: isGiven ? guide.place(path) : DEFAULT };
  });
}

const umaskText = ({ users, identity }: Config, user: string): string =>
  JSON.stringify(formatUmask(users.get(user)?.umask ?? identity.umask));

/** The limits and switches of one user, from whichever layer has them. */
export function userSettings(
  { layers, config, guide }: { layers: Layers; config: Config; guide: Guide },
  user: string,
): readonly Setting[] {
  const limits = config.users.get(user)?.limits ?? config.defaults;
  const place = (path: KeyPath): string | undefined => {
    if (valueAt(layers.userFiles.get(user), path) !== undefined) return guide.place(path, user);
    const inMain = ['users', user, ...path];
    return valueAt(layers.main, inMain) === undefined ? undefined : guide.place(inMain);
  };
  const main = (path: KeyPath): string =>
    valueAt(layers.main, path) === undefined ? DEFAULT : guide.place(path);
  const placeOfEither = (own: KeyPath, everybodys: KeyPath): string =>
    place(own) ?? main(everybodys);
  return [
    ...LIMIT_NAMES.map((name) => ({
      key: name,
      value: limitText(name, limits[limitKey(name).field]),
      origin: placeOfEither(['limits', name], ['limits', name]),
    })),
    {
      key: 'suspended',
      value: String(config.users.get(user)?.suspended ?? false),
      origin: place(['suspended']) ?? DEFAULT,
    },
    {
      key: 'no_new_privileges',
      value: String(config.users.get(user)?.noNewPrivileges ?? config.identity.noNewPrivileges),
      origin: placeOfEither(['no_new_privileges'], ['identity', 'no_new_privileges']),
    },
    {
      key: 'umask',
      value: umaskText(config, user),
      origin: placeOfEither(['umask'], ['identity', 'umask']),
    },
    {
      key: 'isolation',
      value: JSON.stringify(config.users.get(user)?.isolation ?? config.isolation.mode),
      origin: placeOfEither(['isolation'], ['isolation', 'mode']),
    },
    {
      key: 'access_log',
      value: JSON.stringify(config.log.access),
      origin: main(['log', 'access']),
    },
  ];
}

/** Of an application, from the field of the program to the key of the file. */
export function limitRows(
  limits: Readonly<Record<string, unknown>>,
): readonly { readonly key: string; readonly value: string }[] {
  return LIMIT_NAMES.flatMap((name) => {
    const value = limits[limitKey(name).field];
    return typeof value === 'number' ? [{ key: name, value: limitText(name, value) }] : [];
  });
}

function limitText(name: LimitName, value: number): string {
  const { unit } = limitKey(name);
  if (unit === 'count') return String(value);
  return JSON.stringify(unit === 'duration' ? formatDuration(value) : formatSize(value));
}

/** Up to a list of tables, which is shown as one value. */
function listed(config: Config, path: readonly string[]): readonly string[] {
  const at = path.findIndex((_, end) => Array.isArray(fieldAt(config, path.slice(0, end + 1))));
  return at < 0 ? path : path.slice(0, at + 1);
}

function valueOf(config: Config, path: readonly string[]): string {
  const [first, name = ''] = path;
  if (first === 'limits') {
    if (name === 'max_workers') return String(config.maxWorkers);
    const limit = LIMIT_NAMES.find((one) => one === name);
    return limit === undefined ? '?' : limitText(limit, config.defaults[limitKey(limit).field]);
  }
  if (name === 'umask') return umaskText(config, '');
  if (first === 'private_directories') {
    const { temporaryAgeMs, sessionAgeMs } = config.privateDirectories;
    return JSON.stringify(formatDuration(name === 'session_age' ? sessionAgeMs : temporaryAgeMs));
  }
  return textOf(fieldAt(config, path));
}

/** `router_user` in the file is `routerUser` in the program. */
const fieldAt = (config: Config, path: readonly string[]): unknown =>
  valueAt(
    config,
    path.map((key) => key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())),
  );

function textOf(value: unknown): string {
  if (value instanceof Map) return textOf(Object.fromEntries(value));
  if (Array.isArray(value)) return `[${value.map(textOf).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).filter(([, field]) => field !== undefined);
    return `{ ${fields.map(([key, field]) => `${key} = ${textOf(field)}`).join(', ')} }`;
  }
  return value === undefined ? 'none' : JSON.stringify(value);
}
