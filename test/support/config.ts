// A whole configuration for tests, with whatever a test wants different.
import type { Config, RuntimeConfig, UserConfig, UserLimits } from '../../src/config/index.js';

export const TEST_LIMITS: UserLimits = {
  maxWorkersPerApp: 4,
  maxWorkersPerUser: 8,
  minWorkers: 0,
  queueLength: 100,
  queueTimeoutMs: 30_000,
  idleTimeoutMs: 300_000,
  startTimeoutMs: 30_000,
  firstByteTimeoutMs: 300_000,
  silenceTimeoutMs: 300_000,
  requestTimeoutMs: 3_600_000,
  stopTimeoutMs: 10_000,
  maxRequests: 0,
  recycleMemoryBytes: 0,
  maxBodyBytes: 0,
  memoryMaxBytes: 0,
  memoryHighBytes: 0,
  pidsMax: 256,
  cpuWeight: 100,
  ioWeight: 100,
  slowRequestMs: 10_000,
};

export const TEST_RUNTIME: RuntimeConfig = {
  name: 'fastcgi',
  kind: 'entry',
  protocol: 'fastcgi',
  command: ['./app.fcgi'],
  extensions: [],
  markers: ['app.fcgi'],
  environment: {},
  concurrency: 1,
  maxRequests: 0,
  stopSignal: 'SIGTERM',
  debianPackage: '',
  missingScriptBody: '',
};

/** All configurations of tests pass for the same, unless a test says otherwise. */
export const TEST_DIGEST = '0'.repeat(64);

const DEFAULTS: Config = {
  file: '',
  digest: TEST_DIGEST,
  readAtMs: 0,
  paths: { run: '/run/usherd', log: '/var/log/usherd', state: '/var/lib/usherd' },
  front: {
    sockets: [],
    authorizers: [],
    authentication: 'none',
    connectionsMax: 100,
    copyStderr: false,
  },
  metrics: { socket: '', listen: '', detail: 'app' },
  apps: { roots: ['/srv/{user}/apps/{app}'], vhosts: '', prestart: [] },
  identity: {
    routerUser: 'usherd',
    minUid: 1_000,
    maxUid: 60_000,
    supplementaryGroups: 'none',
    noNewPrivileges: true,
    umask: 0o027,
    denyGroups: ['root', 'adm', 'shadow'],
  },
  isolation: { mode: 'none', visible: [], home: false },
  maxWorkers: 64,
  defaults: TEST_LIMITS,
  defaultOrigins: {},
  runtimes: new Map([['fastcgi', TEST_RUNTIME]]),
  users: new Map(),
  brokenUsers: new Map(),
  php: { openBasedir: [], settings: new Map() },
  usersDirectory: '/var/lib/usherd/users',
  privateDirectories: { temporaryAgeMs: 864_000_000, sessionAgeMs: 2_592_000_000 },
  log: { level: 'info', access: 'off' },
};

/** As an application without any limit of its own has them. */
export const DEFAULT_ORIGINS = {
  maxWorkersPerApp: 'default',
  maxWorkersPerUser: 'default',
  queueLength: 'default',
  queueTimeoutMs: 'default',
  startTimeoutMs: 'default',
  firstByteTimeoutMs: 'default',
  silenceTimeoutMs: 'default',
  requestTimeoutMs: 'default',
} as const;

export const testConfig = (overrides: Partial<Config> = {}): Config => ({
  ...DEFAULTS,
  ...overrides,
});

/** A user who is not in the passwd database; uid and gid are the same number. */
export const testUser = (
  name: string,
  uid: number,
  overrides: Partial<UserConfig> = {},
): UserConfig => ({
  name,
  account: { uid, gid: uid, home: `/nonexistent/${name}` },
  suspended: false,
  limits: TEST_LIMITS,
  limitOrigins: {},
  noNewPrivileges: true,
  umask: 0o027,
  isolation: 'none',
  ...overrides,
});
