// What may stand in usherd.toml and in users.d/NAME.toml. Every key is optional: a layer says only what it wants to change.
import { z } from 'zod';
import { LIMITS } from '../limits.js';
import type { UserLimits } from './config-types.js';
import { parseLoopbackAddress } from './loopback.js';
import { LIMIT_NAMES, limitKey, type LimitName } from './limit-keys.js';
import {
  APP_ID,
  GROUP_NAME,
  MARKER_NAME,
  RUNTIME_NAME,
  SCRIPT_EXTENSION,
  USER_NAME,
  isPlainPath,
  isSettableVariable,
} from './names.js';
import { machinePhpSettings } from './php-settings.js';
import { rootPatternProblem } from './roots.js';
import { argv, choice, count, duration, flag, limitValue, listOf, text, umask } from './values.js';

/** uid_t is 32 bits, but -1 means "no change" and Node handles 31: the largest that is safe everywhere. */
const ID_MAX = 2 ** 31 - 2;
/**
 * Below it are root and the accounts of the operating system itself; no configuration reaches them. Equal to privdrop's
 * floor, which counts at each start whatever is written here.
 */
const MIN_UID_FLOOR = 1_000;

const HOUR_MS = 3_600_000;

/** Names of users and applications are in it: nobody but this machine may ask. */
const LOOPBACK_PORT = /^(?:127(?:\.\d{1,3}){3}|\[::1\]):([1-9]\d{0,4})$/;
const PORT_MAX = 65_535;

const isLoopbackPort = (place: string): boolean =>
  Number(LOOPBACK_PORT.exec(place)?.[1] ?? Infinity) <= PORT_MAX;

const absolutePath = (example: string): z.ZodType<string> =>
  text({
    expected: 'an absolute path without "//", ".", ".." or a slash at its end',
    example,
    accept: isPlainPath,
  });

const matching = (pattern: RegExp, expected: string, example: string): z.ZodType<string> =>
  text({ expected, example, accept: (name) => pattern.test(name) });

const userName = (): z.ZodType<string> => matching(USER_NAME, 'an account name', 'alice');
const groupName = (): z.ZodType<string> => matching(GROUP_NAME, 'a group name', 'www-data');
export const runtimeName = (): z.ZodType<string> =>
  matching(RUNTIME_NAME, 'a runtime name: small letters, digits, "-" and "_"', 'php');

export const ISOLATIONS = ['none', 'strict'] as const;
export const ACCESS_LOGS = ['off', 'on', 'combined'] as const;

const tableError = { error: 'a table' };

type LimitTable<Name extends LimitName> = z.ZodObject<
  Record<Name, z.ZodOptional<z.ZodType<number>>>,
  z.core.$strict
>;

/** A strict table of optional limit keys. */
export function limitTable<Name extends LimitName>(names: readonly Name[]): LimitTable<Name> {
  const keys = names.map((name) => [name, limitValue(name).optional()] as const);
  const shape = Object.fromEntries(keys) as Record<Name, z.ZodOptional<z.ZodType<number>>>;
  return z.strictObject(shape, tableError);
}

/** From the keys of a file to the fields of the program; keys that were not given stay absent. */
export function limitFields(
  table: Readonly<Partial<Record<LimitName, number | undefined>>>,
): Partial<UserLimits> {
  const given = LIMIT_NAMES.flatMap((name) => {
    const value = table[name];
    return value === undefined ? [] : [[limitKey(name).field, value] as const];
  });
  return Object.fromEntries(given);
}

const frontSocket = z.strictObject(
  {
    path: absolutePath('/run/usherd/front/front.sock'),
    group: groupName(),
    user: userName().optional(),
  },
  tableError,
);

const authorizerSocket = z.strictObject(
  {
    address: text({
      expected:
        'a loopback address and a port below 1024, which no ordinary account can take while usherd is away',
      example: '127.0.0.1:601',
      accept: (address) => parseLoopbackAddress(address) !== undefined,
    }),
    application: text({
      expected: 'USER/APP',
      example: 'alice/gate',
      accept: (id) => APP_ID.test(id),
    }),
  },
  tableError,
);

const environment = z.record(
  text({
    expected: 'a name of a variable that neither the shell nor usherd keeps for itself',
    example: 'APP_ENV',
    accept: isSettableVariable,
  }),
  text({ expected: 'text on one line', example: '', accept: () => true }),
  tableError,
);

const runtime = z.strictObject(
  {
    kind: choice(['entry', 'script']).optional(),
    protocol: choice(['fastcgi', 'http', 'scgi']).optional(),
    command: argv({
      expected: 'an absolute path or one that starts with "./"',
      example: '/usr/bin/program',
      accept: (program) => /^(\/|\.\/)./.test(program),
    }).optional(),
    extensions: listOf(
      matching(SCRIPT_EXTENSION, 'a file name extension in small letters, with its dot', '.php'),
      'a list of extensions',
    ).optional(),
    markers: listOf(
      matching(MARKER_NAME, 'the name of a file in the application directory', 'app.py'),
      'a list of file names',
    ).optional(),
    environment: environment.optional(),
    concurrency: count(1, 1_024).optional(),
    keep_connections: choice(['always', 'after-bodiless', 'never']).optional(),
  },
  tableError,
);
export type RuntimeTable = z.infer<typeof runtime>;

/** Below an hour somebody may still be at work with the file; `0s` keeps it for ever. */
const fileAge = (example: string): z.ZodType<number> =>
  duration({ min: HOUR_MS, max: 3_650 * 24 * HOUR_MS, orZero: true, example });

const user = z.strictObject(
  {
    uid: count(1, ID_MAX).optional(),
    gid: count(1, ID_MAX).optional(),
    home: absolutePath('/srv/alice').optional(),
    suspended: flag().optional(),
    no_new_privileges: flag().optional(),
    umask: umask().optional(),
    isolation: choice(ISOLATIONS).optional(),
    limits: limitTable(LIMIT_NAMES).optional(),
  },
  tableError,
);
export type UserTable = z.infer<typeof user>;

/** A whole users.d/NAME.toml. */
export const userFileSchema = user;

/** A whole usherd.toml. */
export const mainFileSchema = z.strictObject({
  paths: z
    .strictObject(
      {
        run: absolutePath('/run/usherd').optional(),
        log: absolutePath('/var/log/usherd').optional(),
        state: absolutePath('/var/lib/usherd').optional(),
      },
      tableError,
    )
    .optional(),
  front: z
    .strictObject(
      {
        sockets: listOf(frontSocket, 'a list of sockets').optional(),
        authorizers: listOf(authorizerSocket, 'a list of addresses').optional(),
        authentication: choice(['none', 'token']).optional(),
        connections_max: count(1, 65_536).optional(),
        copy_stderr: flag().optional(),
      },
      tableError,
    )
    .optional(),
  metrics: z
    .strictObject(
      {
        socket: text({
          expected:
            'an absolute path without "//", ".", ".." or a slash at its end, or "" for none',
          example: '/run/usherd/router/metrics.sock',
          accept: (path) => path === '' || isPlainPath(path),
        }).optional(),
        listen: text({
          expected: 'an address of this machine itself and a port, or "" for none',
          example: '127.0.0.1:9464',
          accept: (place) => place === '' || isLoopbackPort(place),
        }).optional(),
        detail: choice(['app', 'user', 'total']).optional(),
      },
      tableError,
    )
    .optional(),
  apps: z
    .strictObject(
      {
        mode: choice(['production', 'development']).optional(),
        roots: listOf(
          text({
            expected: 'an absolute path with {user} and {app} once each as whole components',
            example: '/srv/{user}/apps/{app}',
            accept: (pattern) => rootPatternProblem(pattern) === undefined,
          }),
          'a list of path patterns',
        ).optional(),
        vhosts: text({
          expected:
            'an absolute path without "//", ".", ".." or a slash at its end, or "" for none',
          example: '/srv/vhosts',
          accept: (path) => path === '' || isPlainPath(path),
        }).optional(),
        prestart: listOf(
          text({
            expected: 'USER/APP',
            example: 'alice/shop',
            accept: (id) => APP_ID.test(id),
          }),
          'a list of applications',
        ).optional(),
      },
      tableError,
    )
    .optional(),
  identity: z
    .strictObject(
      {
        router_user: userName().optional(),
        min_uid: count(MIN_UID_FLOOR, ID_MAX).optional(),
        max_uid: count(MIN_UID_FLOOR, ID_MAX).optional(),
        supplementary_groups: choice(['account', 'none']).optional(),
        no_new_privileges: flag().optional(),
        umask: umask().optional(),
        deny_groups: listOf(groupName(), 'a list of group names').optional(),
      },
      tableError,
    )
    .optional(),
  isolation: z
    .strictObject(
      {
        mode: choice(ISOLATIONS).optional(),
        visible: listOf(
          absolutePath('/run/redis'),
          `a list of at most ${LIMITS.isolationVisibleMaxCount} paths`,
          LIMITS.isolationVisibleMaxCount,
        ).optional(),
        home: flag().optional(),
      },
      tableError,
    )
    .optional(),
  limits: limitTable(LIMIT_NAMES)
    .extend({ max_workers: count(1, 100_000, 'a number that fits the memory').optional() })
    .optional(),
  runtimes: z.record(runtimeName(), runtime, tableError).optional(),
  php: z
    .strictObject(
      {
        open_basedir: listOf(
          text({
            expected: 'an absolute path (a directory with "/" at its end), or {user_directory}',
            example: '{user_directory}',
            accept: (path) => path === '{user_directory}' || /^\/[^:]*$/.test(path),
          }),
          'a list of paths',
        ).optional(),
        settings: machinePhpSettings.optional(),
      },
      tableError,
    )
    .optional(),
  private_directories: z
    .strictObject(
      { temporary_age: fileAge('10d').optional(), session_age: fileAge('30d').optional() },
      tableError,
    )
    .optional(),
  users: z.record(userName(), user, tableError).optional(),
  log: z
    .strictObject(
      {
        level: choice(['info', 'fatal', 'error', 'warn', 'debug', 'trace']).optional(),
        access: choice(ACCESS_LOGS).optional(),
      },
      tableError,
    )
    .optional(),
});
export type MainTable = z.infer<typeof mainFileSchema>;
