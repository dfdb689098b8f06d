// An application's own usherd.toml, written by a tenant: bounded, parsed, clamped. It can lower limits, never raise them.
import { z } from 'zod';
import type { Finding } from '../errors.js';
import { LIMITS } from '../limits.js';
import type { AppLimits, Manifest } from './config-types.js';
import { Explainer } from './explain.js';
import { LIMIT_NAMES, limitKey, type LimitName } from './limit-keys.js';
import { isOneLine, isSettableVariable } from './names.js';
import { applicationPhpSettings } from './php-settings.js';
import { ACCESS_LOGS, ISOLATIONS, limitFields, limitTable, runtimeName } from './schema.js';
import { parseToml } from './toml.js';
import { argv, choice, count, flag, limitValue, someOf, text, umask } from './values.js';

const MANIFEST_NAME = 'usherd.toml';

export type ParsedManifest =
  | { readonly ok: true; readonly manifest: Manifest }
  | { readonly ok: false; readonly findings: readonly Finding[] };

const PATH_MAX_LENGTH = 255;

/** `serve`, `./serve`, `bin/serve`: below the application, without a way out of it. */
const isRelativeFile = (path: string): boolean =>
  path.length <= PATH_MAX_LENGTH &&
  !path.startsWith('/') &&
  path
    .replace(/^\.\//, '')
    .split('/')
    .every((name) => name !== '' && name !== '.' && name !== '..');

/** Stops at the first mistake: sixteen KiB hold thousands of them. */
const environment = z.unknown().transform((table, context): ReadonlyMap<string, string> => {
  const entries = typeof table === 'object' && table !== null ? Object.entries(table) : undefined;
  const message =
    entries === undefined || Array.isArray(table) ? 'a table' : environmentProblem(entries);
  if (message === undefined) return new Map(entries as [string, string][]);
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

function environmentProblem(entries: readonly (readonly [string, unknown])[]): string | undefined {
  if (entries.length > LIMITS.environmentMaxCount) {
    return `at most ${LIMITS.environmentMaxCount} variables`;
  }
  if (!entries.every(([name]) => isSettableVariable(name))) {
    return 'names of letters, digits and "_", without those of the shell (IFS, ENV, PWD, SECONDS, BASH_*, …) and of usherd (USHERD_*, FCGI_*, PHP_FCGI_*, LISTEN_*)';
  }
  const isText = entries.every(([, value]) => typeof value === 'string' && isOneLine(value));
  return isText ? undefined : 'values that are text on one line';
}

/** unix(7): a name of a socket has so many bytes. */
const SOCKET_PATH_MAX_BYTES = LIMITS.socketPathMaxBytes;
const SOCKET_SCHEME = 'unix:';

/** `unix:/run/alice/app.sock` */
const isSocketAddress = (address: string): boolean => {
  const path = address.slice(SOCKET_SCHEME.length);
  const parts = path.split('/').slice(1);
  return (
    address.startsWith(`${SOCKET_SCHEME}/`) &&
    Buffer.byteLength(path) <= SOCKET_PATH_MAX_BYTES &&
    parts.every((name) => name !== '' && name !== '.' && name !== '..')
  );
};

/** Holds the place of a program that somebody else runs: its life is what limits, restarts and suspensions act on. */
const PLACE_HOLDER = ['/bin/sleep', 'infinity'] as const;

const APP_LIMIT_NAMES = LIMIT_NAMES.filter((name) => limitKey(name).userOnly !== true);

/** A whole usherd.toml of an application. */
export const manifestSchema = z.strictObject({
  runtime: runtimeName().optional(),
  command: argv({
    expected: 'a file of the application (any other command goes into a Procfile: "web: COMMAND")',
    example: './serve',
    accept: isRelativeFile,
  }).optional(),
  connect: text({
    expected: 'the address of a socket that the user owns',
    example: 'unix:/run/alice/app.sock',
    accept: isSocketAddress,
  }).optional(),
  protocol: choice(['fastcgi', 'http', 'scgi']).optional(),
  env: environment.optional(),
  php: applicationPhpSettings.optional(),
  limits: limitTable(APP_LIMIT_NAMES).optional(),
  mode: choice(['production', 'development']).optional(),
  isolation: choice(ISOLATIONS).optional(),
  umask: umask().optional(),
  min_workers: limitValue('min_workers').optional(),
  concurrency: count(1, 1_024).optional(),
  buffer_requests: flag().optional(),
  roles: someOf(['responder', 'authorizer', 'filter']).optional(),
  access_log: choice(ACCESS_LOGS).optional(),
  front_controller: text({
    expected: 'the path of a script below the web root, or "" for none',
    example: 'index.php',
    accept: (path) => path === '' || (isRelativeFile(path) && !path.startsWith('./')),
  }).optional(),
});

/**
 * Parses a manifest; never throws, and takes time linear in the length of the text, which is at most 16 KiB.
 * A limit above the one that the administrator set is lowered to it without a word: what the user is allowed may
 * change any day, and a site must not stop for it.
 */
export function parseManifest(text: string, limits: AppLimits): ParsedManifest {
  if (text.length > LIMITS.manifestMaxBytes || Buffer.byteLength(text) > LIMITS.manifestMaxBytes) {
    return { ok: false, findings: [tooLong] };
  }
  const parsed = parseToml(text, MANIFEST_NAME);
  if (!parsed.ok) return { ok: false, findings: [parsed.finding] };
  const { table } = parsed;
  const result = manifestSchema.safeParse(table);
  if (result.success) return { ok: true, manifest: manifestFrom(result.data, limits) };
  const findingsMax = LIMITS.manifestFindingsMaxCount;
  const source = { name: MANIFEST_NAME, text, table, schema: manifestSchema, findingsMax };
  return { ok: false, findings: new Explainer(source).issues(result.error.issues) };
}

const tooLong: Finding = {
  rule: 'config-file',
  path: MANIFEST_NAME,
  found: 'a longer file',
  expected: `at most ${LIMITS.manifestMaxBytes} bytes`,
  remedy: 'shorten it',
};

type ManifestTable = z.infer<typeof manifestSchema>;

function manifestFrom(table: ManifestTable, limits: AppLimits): Manifest {
  const { runtime, protocol, concurrency } = table;
  const own = { ...table.limits };
  // The short form at the top of the file wins over the one in [limits].
  if (table.min_workers !== undefined) own.min_workers = table.min_workers;
  return {
    ...(runtime !== undefined && { runtime }),
    ...(table.command !== undefined && { command: insideApplication(table.command) }),
    ...(table.connect !== undefined && {
      command: PLACE_HOLDER,
      connect: table.connect.slice(SOCKET_SCHEME.length),
    }),
    ...(protocol !== undefined && { protocol }),
    ...(concurrency !== undefined && { concurrency }),
    ...switchesOf(table),
    environment: table.env ?? new Map(),
    php: table.php ?? new Map(),
    limits: clamped(limitFields(own), limits),
    ...(table.mode !== undefined && { mode: table.mode }),
    ...(table.isolation !== undefined && { isolation: table.isolation }),
  };
}

/** Keys that are taken as they are; absent ones stay absent. */
const switchesOf = (table: ManifestTable): Partial<Manifest> => ({
  ...(table.buffer_requests !== undefined && { bufferRequests: table.buffer_requests }),
  ...(table.roles !== undefined && { roles: table.roles }),
  ...(table.umask !== undefined && { umask: table.umask }),
  ...(table.access_log !== undefined && { accessLog: table.access_log }),
  ...(table.front_controller !== undefined && { frontController: table.front_controller }),
});

/** Without a slash, execve(2) would be given a name to look up in PATH. */
const insideApplication = ([program = '', ...rest]: readonly string[]): readonly string[] => [
  program.startsWith('./') ? program : `./${program}`,
  ...rest,
];

function clamped(wanted: Partial<AppLimits>, limits: AppLimits): Partial<AppLimits> {
  const lowered = APP_LIMIT_NAMES.flatMap((name) => {
    const field = limitKey(name).field as keyof AppLimits;
    const value = wanted[field];
    return value === undefined ? [] : [[field, lower(name, value, limits[field])] as const];
  });
  return Object.fromEntries(lowered);
}

/** The stricter of the two; where 0 means "no limit", every number is stricter than 0. */
function lower(name: LimitName, wanted: number, limit: number): number {
  if (limitKey(name).zeroIsUnlimited !== true) return Math.min(wanted, limit);
  return limit === 0 || wanted === 0 ? Math.max(wanted, limit) : Math.min(wanted, limit);
}
