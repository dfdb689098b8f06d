// The layers of a configuration, lowest first, and the Config that they make together.
import type {
  Config,
  FrontSocket,
  LimitOrigin,
  LimitOrigins,
  RuntimeConfig,
  UserConfig,
  UserLimits,
} from './config-types.js';
import { DEFAULTS, defaultFrontSocket, maxWorkersFromMemory } from './defaults.js';
import { parseLoopbackAddress } from './loopback.js';
import { userDirectory } from './roots.js';
import { limitFields, type MainTable, type RuntimeTable, type UserTable } from './schema.js';

/** What was read, not yet merged: `usherd config` shows from which layer a value comes. */
export interface Layers {
  /** '' if there is none. */
  readonly file: string;
  /** Of the texts of all files; absent where nothing was read. */
  readonly digest?: string;
  /** By the clock of file times; absent where nothing was read. */
  readonly readAtMs?: number;
  readonly main: MainTable;
  /** users.d/NAME.toml, by name. */
  readonly userFiles: ReadonlyMap<string, UserTable>;
}

export interface Surroundings {
  readonly builtinRuntimes: readonly RuntimeConfig[];
  readonly memoryBytes: number;
}

/** Merges the layers over the defaults. Total: what is incomplete was found by checkLayers(), and is filled here. */
export function mergeLayers(layers: Layers, surroundings: Surroundings): Config {
  const { main } = layers;
  const paths = { ...DEFAULTS.paths, ...given(main.paths) };
  const apps = appsOf(main);
  const identity = identityOf(main);
  const isolation = { ...DEFAULTS.isolation, ...given(main.isolation) };
  const own = limitFields(main.limits ?? {});
  const limits: UserLimits = { ...DEFAULTS.limits, ...own };
  const limitOrigins = originsOf(own, 'usherd.toml');
  return {
    file: layers.file,
    digest: layers.digest ?? '',
    readAtMs: layers.readAtMs ?? 0,
    paths,
    front: frontOf(main, paths.run),
    metrics: metricsOf(main, paths.run),
    apps,
    identity,
    isolation,
    maxWorkers: maxWorkersOf(main, surroundings.memoryBytes),
    defaults: limits,
    defaultOrigins: limitOrigins,
    runtimes: mergeRuntimes(surroundings.builtinRuntimes, main.runtimes ?? {}),
    users: mergeUsers(layers, {
      limits,
      limitOrigins,
      root: apps.roots[0] ?? '',
      ...identity,
      isolation: isolation.mode,
    }),
    brokenUsers: new Map(), // who is blamed is found after this
    php: phpOf(main),
    usersDirectory: `${paths.state}/users`,
    privateDirectories: privateDirectoriesOf(main),
    log: { ...DEFAULTS.log, ...given(main.log) },
  };
}

const appsOf = ({ apps }: MainTable): Config['apps'] => ({
  roots: apps?.roots ?? DEFAULTS.apps.roots,
  prestart: apps?.prestart ?? [],
  vhosts: apps?.vhosts ?? DEFAULTS.apps.vhosts,
  mode: apps?.mode ?? DEFAULTS.apps.mode,
});

const originsOf = (limits: Partial<UserLimits>, origin: LimitOrigin): LimitOrigins =>
  Object.fromEntries(Object.keys(limits).map((field) => [field, origin]));

function maxWorkersOf({ limits }: MainTable, memoryBytes: number): number {
  const asked = limits?.max_workers ?? 0;
  return asked === 0 ? maxWorkersFromMemory(memoryBytes) : asked;
}

const phpOf = ({ php = {} }: MainTable): Config['php'] => ({
  openBasedir: php.open_basedir ?? DEFAULTS.php.openBasedir,
  settings: php.settings ?? new Map<string, string>(),
});

const privateDirectoriesOf = ({
  private_directories: table = {},
}: MainTable): Config['privateDirectories'] => ({
  temporaryAgeMs: table.temporary_age ?? DEFAULTS.privateDirectories.temporaryAgeMs,
  sessionAgeMs: table.session_age ?? DEFAULTS.privateDirectories.sessionAgeMs,
});

function identityOf(main: MainTable): Config['identity'] {
  const table = main.identity ?? {};
  const defaults = DEFAULTS.identity;
  return {
    routerUser: table.router_user ?? defaults.routerUser,
    minUid: table.min_uid ?? defaults.minUid,
    maxUid: table.max_uid ?? defaults.maxUid,
    supplementaryGroups: table.supplementary_groups ?? defaults.supplementaryGroups,
    noNewPrivileges: table.no_new_privileges ?? defaults.noNewPrivileges,
    umask: table.umask ?? defaults.umask,
    denyGroups: table.deny_groups ?? defaults.denyGroups,
  };
}

function frontOf({ front = {} }: MainTable, run: string): Config['front'] {
  const { group, authentication, connectionsMax, copyStderr } = DEFAULTS.front;
  const sockets = front.sockets ?? [{ path: defaultFrontSocket(run), group }];
  return {
    sockets: sockets.map((socket): FrontSocket => given(socket)),
    authorizers: (front.authorizers ?? []).map(({ address, application }) => {
      const parsed = parseLoopbackAddress(address);
      if (parsed === undefined) throw new Error('config: an address that the schema let pass');
      return { ...parsed, application };
    }),
    authentication: front.authentication ?? authentication,
    connectionsMax: front.connections_max ?? connectionsMax,
    copyStderr: front.copy_stderr ?? copyStderr,
  };
}

const metricsOf = ({ metrics = {} }: MainTable, run: string): Config['metrics'] => ({
  socket: metrics.socket ?? `${run}/${DEFAULTS.metrics.socketName}`,
  listen: metrics.listen ?? DEFAULTS.metrics.listen,
  detail: metrics.detail ?? DEFAULTS.metrics.detail,
});

function mergeRuntimes(
  builtin: readonly RuntimeConfig[],
  tables: Readonly<Record<string, RuntimeTable>>,
): ReadonlyMap<string, RuntimeConfig> {
  const builtinNames = new Set(builtin.map(({ name }) => name));
  const bare = (name: string): RuntimeConfig => {
    const kin = builtin.find((row) => isKin(row, ownTable(tables, name)));
    return kin === undefined ? bareRuntime(name) : { ...kin, name };
  };
  const merged = (row: RuntimeConfig): RuntimeConfig =>
    mergeRuntime(row, ownTable(tables, row.name));
  const added = Object.keys(tables)
    .filter((name) => !builtinNames.has(name))
    .map((name) => merged(bare(name)));
  const entries = added.filter(({ kind }) => kind === 'entry');
  const scripts = added.filter(({ kind }) => kind === 'script');
  // The administrator's markers are looked for first; his script runtimes are there for applications that ask for them.
  const rows = [...entries, ...builtin.map(merged), ...scripts];
  return new Map(rows.map((row) => [row.name, row]));
}

/** Another version of the same program. */
const isKin = ({ programs }: RuntimeConfig, { command = [] }: RuntimeTable): boolean =>
  programs?.test(command[0] ?? '') === true;

function mergeRuntime(below: RuntimeConfig, table: RuntimeTable): RuntimeConfig {
  const { keep_connections: keepConnections, ...rest } = table;
  const reuse = keepConnections === undefined ? {} : { keepConnections };
  if (rest.command === undefined) return { ...below, ...given(rest), ...reuse };
  const isSameProgram = rest.command[0] === below.command[0];
  const debianPackage = isSameProgram ? below.debianPackage : '';
  const isKnown = isSameProgram || isKin(below, table);
  const unknown = isKnown ? {} : { keepConnections: 'never' as const };
  const variants = below.variants === undefined ? {} : { variants: [] };
  const params = isSameProgram || below.params === undefined ? {} : { params: {} };
  const needs = below.needs === undefined ? {} : { needs: [] }; // nobody knows those of another command
  return {
    ...below,
    ...variants,
    ...params,
    ...needs,
    ...unknown,
    ...given(rest),
    ...reuse,
    debianPackage,
  };
}

const ownTable = (tables: Readonly<Record<string, RuntimeTable>>, name: string): RuntimeTable =>
  (Object.hasOwn(tables, name) ? tables[name] : undefined) ?? {};

const bareRuntime = (name: string): RuntimeConfig => ({
  name,
  kind: 'entry',
  protocol: 'fastcgi',
  command: [],
  extensions: [],
  markers: [],
  environment: {},
  concurrency: 1,
  maxRequests: 0,
  stopSignal: 'SIGTERM',
  debianPackage: '',
  missingScriptBody: '',
});

interface UserBase {
  readonly limits: UserLimits;
  readonly limitOrigins: LimitOrigins;
  readonly root: string;
  readonly noNewPrivileges: boolean;
  readonly umask: number;
  readonly isolation: Config['isolation']['mode'];
}

function mergeUsers(layers: Layers, base: UserBase): ReadonlyMap<string, UserConfig> {
  const tables = layers.main.users ?? {};
  const names = new Set([...Object.keys(tables), ...layers.userFiles.keys()]);
  return new Map([...names].map((name) => [name, mergeUser(name, userTables(layers, name), base)]));
}

/** Both layers of one user, lowest first. */
export function userTables(layers: Layers, name: string): readonly UserTable[] {
  const { users = {} } = layers.main;
  // hasOwn: there may be an account called "constructor".
  const inMain = Object.hasOwn(users, name) ? users[name] : undefined;
  return [inMain, layers.userFiles.get(name)].filter((table) => table !== undefined);
}

function mergeUser(name: string, tables: readonly UserTable[], base: UserBase): UserConfig {
  const table = mergeTables(tables);
  const { uid, gid, home = userDirectory(base.root, name) } = table;
  const limits = limitFields(table.limits ?? {});
  return {
    name,
    ...(uid !== undefined && gid !== undefined && { account: { uid, gid, home } }),
    suspended: table.suspended ?? false,
    limits: { ...base.limits, ...limits },
    limitOrigins: { ...base.limitOrigins, ...originsOf(limits, 'users') },
    noNewPrivileges: table.no_new_privileges ?? base.noNewPrivileges,
    umask: table.umask ?? base.umask,
    isolation: table.isolation ?? base.isolation,
  };
}

/** One user's layers as one table; its limits key by key. */
export function mergeTables(tables: readonly UserTable[]): UserTable {
  const limits = Object.assign({}, ...tables.map((table) => table.limits)) as UserTable['limits'];
  return { ...(Object.assign({}, ...tables) as UserTable), limits };
}

type Given<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** The keys that have a value: zod's optional keys may be there and undefined. */
function given<T extends object>(table: T | undefined): Given<T> {
  const entries = Object.entries<unknown>(table ?? {}).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Given<T>;
}
