// From what the launcher saw to what is started: pure, so that `usherd explain` can say the same as the supervisor does.
// Owners and modes of what was seen are judged before this, by the rules of privdrop.
import type {
  AppLimits,
  Config,
  LimitOrigin,
  Manifest,
  RoleName,
  RuntimeConfig,
  UserLimits,
} from '../config/index.js';
import type { ApplicationFacts, Blueprint, Description, Refusal, Sighting } from './description.js';
import { needsEntry, withEntry, withLibexec } from './entry.js';
import { Seen, type Mark } from './marks.js';
import { isPhp, phpProgram } from './php-arguments.js';
import { privateFolders, userDirectory } from './private-folders.js';
import { refuseEmpty, refuseNotExecutable, refuseRole, refuseWithoutEntry } from './refusals.js';
import { selectRuntime, type Selection } from './select.js';
import { wallsOf } from './walls.js';

/** What to start for this application and the wanted runtime, or which rule refused it. */
export function describeApplication(
  config: Config,
  sighting: Sighting,
  manifest: Manifest | undefined,
): Description {
  const { directory } = sighting;
  const seen = new Seen(sighting.marks);
  const selection = selectRuntime({ runtimes: config.runtimes, directory }, seen, manifest);
  if (!selection.ok) return selection;
  const wrong = wrongRoles(selection, directory, manifest);
  if (wrong !== undefined) return wrong;
  const runtime = runtimeToStart(config, sighting, selection);
  if ('ok' in runtime) return runtime;
  // The manifest's program is the application's own runtime, not that of a script beside it.
  const ownManifest = runtime === selection.runtime ? manifest : undefined;
  const program = programOf(runtime, seen, ownManifest);
  const argv = argvOf(program, directory, selection.entry);
  if ('ok' in argv) return argv;
  const walls = wallsOf(config, sighting.user, manifest);
  const facts = factsOf({ config, user: sighting.user }, selection, manifest);
  return {
    ok: true,
    blueprint: {
      facts,
      runtime: program.name,
      because: becauseOf(runtime, selection),
      protocol: program.protocol,
      connect: ownManifest?.connect ?? '',
      concurrency: program.concurrency,
      // 0 leaves it to the runtime.
      maxRequests: facts.limits.maxRequests === 0 ? program.maxRequests : facts.limits.maxRequests,
      ...invocation(config, sighting, { program, argv, manifest, isIsolated: walls !== undefined }),
      walls,
      umask: umaskOf(config, sighting.user, manifest),
      manifestEnvironment: manifest?.environment ?? new Map<string, string>(),
      stopSignal: program.stopSignal,
      debianPackage: program.debianPackage,
      needs: program.needs ?? [],
    },
  };
}

/** A script's own runtime beside another one follows from its name. */
const becauseOf = (runtime: RuntimeConfig, selection: Selection): string =>
  runtime === selection.runtime ? selection.because : 'the script that was asked for';

const umaskOf = ({ users, identity }: Config, user: string, manifest?: Manifest): number =>
  manifest?.umask ?? users.get(user)?.umask ?? identity.umask;

const rolesOf = (manifest: Manifest | undefined): readonly RoleName[] =>
  manifest?.roles ?? ['responder'];

/** Asked as an Authorizer, php-cgi runs the file that is asked for, and its 200 would let everybody in. */
function wrongRoles(
  { runtime }: Selection,
  directory: string,
  manifest: Manifest | undefined,
): Refusal | undefined {
  const role = rolesOf(manifest).find((name) => name !== 'responder');
  const protocol = manifest?.protocol ?? runtime?.protocol;
  if (role === undefined || (runtime?.kind === 'entry' && protocol === 'fastcgi')) return undefined;
  return refuseRole(directory, role);
}

interface Chosen {
  readonly program: RuntimeConfig;
  readonly argv: readonly string[];
  readonly manifest: Manifest | undefined;
  readonly isIsolated: boolean;
}

/** Command, environment and the directories that have to be there; PHP has settings besides. */
function invocation(
  config: Config,
  { user, app, uid, directory }: Sighting,
  { program, argv, manifest, isIsolated }: Chosen,
): Pick<Blueprint, 'argv' | 'environment' | 'temporaryDirectory' | 'folders'> {
  const folders = privateFolders(config, uid, { app, isIsolated });
  const { temporary: temporaryDirectory, sessions, opcodes } = folders;
  const { environment, concurrency } = program;
  if (!isPhp(argv)) return { argv, environment, temporaryDirectory, folders: [temporaryDirectory] };
  const php = phpProgram(argv, {
    config,
    userDirectory: userDirectory(config.apps.roots, user, directory),
    folders,
    settings: manifest?.php ?? new Map<string, string>(),
    isDevelopment: (manifest?.mode ?? config.apps.mode) === 'development',
    concurrency,
  });
  return {
    argv: php.argv,
    environment: { ...php.environment, ...environment },
    temporaryDirectory,
    folders: [temporaryDirectory, sessions, opcodes],
  };
}

/** The limits of a user, which are the defaults for users whom the configuration does not name. */
export const userLimits = (config: Config, user: string): UserLimits =>
  config.users.get(user)?.limits ?? config.defaults;

/**
 * The wanted runtime if it is a script's, unless the application has its own choice of several for the same scripts. Any
 * other is what URLs without a script ran at an earlier launch: the files of now say what they run.
 */
function runtimeToStart(
  config: Config,
  { wantedRuntime, directory }: Sighting,
  { runtime: own }: Selection,
): RuntimeConfig | Refusal {
  const wanted = config.runtimes.get(wantedRuntime);
  const isOwnChoice =
    own?.kind === 'script' && own.extensions.some((end) => wanted?.extensions.includes(end));
  if (wanted?.kind === 'script' && !isOwnChoice) return wanted;
  return own ?? refuseEmpty(directory, config.runtimes);
}

/** The runtime's row with what the manifest says about it. */
function programOf(
  runtime: RuntimeConfig,
  seen: Seen,
  manifest: Manifest | undefined,
): RuntimeConfig {
  const { command, protocol = runtime.protocol } = manifest ?? {};
  const { concurrency = runtime.concurrency } = manifest ?? {};
  // How many requests a script runtime's program takes at once is a fact that no application can change.
  const row = runtime.kind === 'entry' ? { ...runtime, concurrency } : runtime;
  if (command !== undefined) return { ...row, command, protocol, debianPackage: '', needs: [] };
  const variant = runtime.variants?.find(({ file }) => seen.mark(file) !== undefined);
  if (variant === undefined) return row;
  const { debianPackage = row.debianPackage, needs = [] } = variant;
  return { ...row, command: variant.command, debianPackage, needs };
}

function argvOf(
  runtime: RuntimeConfig,
  directory: string,
  entry: Mark | undefined,
): readonly string[] | Refusal {
  const { command } = runtime;
  if (!needsEntry(command)) return withLibexec(command);
  if (entry === undefined) return refuseWithoutEntry(directory, runtime);
  const argv = withEntry(withLibexec(command), entry.name);
  const isProgram = argv[0] === `./${entry.name}`;
  return isProgram && !isExecutable(entry) ? refuseNotExecutable(directory, entry) : argv;
}

const ANY_EXECUTE = 0o111;

const isExecutable = (entry: Mark): boolean => (entry.mode & ANY_EXECUTE) !== 0;

function factsOf(
  { config, user }: { readonly config: Config; readonly user: string },
  selection: Selection,
  manifest: Manifest | undefined,
): ApplicationFacts {
  const own = userLimits(config, user);
  const limits = effectiveLimits(own, manifest);
  const origins = config.users.get(user)?.limitOrigins ?? config.defaultOrigins;
  const ownOrigin = (field: keyof UserLimits): LimitOrigin => origins[field] ?? 'default';
  const originOf = (field: keyof AppLimits): LimitOrigin =>
    limits[field] === own[field] ? ownOrigin(field) : 'manifest';
  return {
    defaultRuntime: selection.runtime?.name ?? '',
    webRoot: selection.webRoot,
    frontController: selection.frontController,
    mode: manifest?.mode ?? config.apps.mode ?? 'production',
    bufferRequests: manifest?.bufferRequests ?? true,
    roles: rolesOf(manifest),
    maxWorkersPerUser: own.maxWorkersPerUser,
    accessLog: manifest?.accessLog ?? config.log.access,
    limits,
    origins: {
      maxWorkersPerApp: originOf('maxWorkersPerApp'),
      maxWorkersPerUser: ownOrigin('maxWorkersPerUser'),
      queueLength: originOf('queueLength'),
      queueTimeoutMs: originOf('queueTimeoutMs'),
      startTimeoutMs: originOf('startTimeoutMs'),
      firstByteTimeoutMs: originOf('firstByteTimeoutMs'),
      silenceTimeoutMs: originOf('silenceTimeoutMs'),
      requestTimeoutMs: originOf('requestTimeoutMs'),
    },
  };
}

const USERS_OWN: ReadonlySet<string> = new Set<Exclude<keyof UserLimits, keyof AppLimits>>([
  'maxWorkersPerUser',
  'cpuWeight',
  'ioWeight',
]);

/** Without what belongs to the user as a whole. */
export const appLimits = (user: UserLimits): AppLimits =>
  Object.fromEntries(
    Object.entries(user).filter(([field]) => !USERS_OWN.has(field)),
  ) as unknown as AppLimits;

/** A user's limits, lowered by the manifest. */
function effectiveLimits(user: UserLimits, manifest: Manifest | undefined): AppLimits {
  const limits = { ...appLimits(user), ...manifest?.limits };
  const maxWorkersPerApp = Math.min(limits.maxWorkersPerApp, user.maxWorkersPerUser);
  const minWorkers = Math.min(limits.minWorkers, maxWorkersPerApp);
  return { ...limits, maxWorkersPerApp, minWorkers };
}
