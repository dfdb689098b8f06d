// Every default of the configuration, in one table. conf.example/usherd.toml shows the same values; a test compares them.
import { GIB, LIMITS, MIB } from '../limits.js';
import type { UserLimits } from './config-types.js';

export const DEFAULT_FILE = '/etc/usherd/usherd.toml';
const DEFAULT_RUN_DIRECTORY = '/run/usherd';
/** Beside the main file, one file a user. */
export const USERS_DIRECTORY = 'users.d';

const DAY_MS = 86_400_000;

const LIMIT_DEFAULTS: UserLimits = {
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
  maxRequests: 0, // no limit; a runtime may have its own (php: 10000)
  recycleMemoryBytes: 0, // no limit
  maxBodyBytes: 0, // no limit
  memoryMaxBytes: 0, // no limit
  memoryHighBytes: 0, // nowhere
  pidsMax: 256,
  cpuWeight: 100, // the kernel's own default
  ioWeight: 100,
  slowRequestMs: 10_000,
};

export const DEFAULTS = {
  paths: { run: DEFAULT_RUN_DIRECTORY, log: '/var/log/usherd', state: '/var/lib/usherd' },
  front: {
    /** Below the run directory. */
    socketName: 'front/front.sock',
    group: 'www-data',
    authentication: 'none',
    connectionsMax: LIMITS.frontConnectionsMaxCount,
    copyStderr: false,
  },
  metrics: {
    /** Below the run directory. */
    socketName: 'router/metrics.sock',
    listen: '',
    detail: 'app',
  },
  apps: { roots: ['/srv/{user}/apps/{app}'], vhosts: '/srv/vhosts', mode: 'production' },
  identity: {
    routerUser: 'usherd',
    minUid: 1_000, // login.defs(5) UID_MIN of every current distribution
    maxUid: 60_000, // login.defs(5) UID_MAX; above it systemd's dynamic users, nobody, and user-namespace ranges
    supplementaryGroups: 'account',
    noNewPrivileges: true,
    umask: 0o027,
    denyGroups: [
      'root',
      'adm',
      'disk',
      'shadow',
      'sudo',
      'wheel',
      'docker',
      'lxd',
      'libvirt',
      'kvm',
      'systemd-journal',
      'www-data',
      'usherd',
    ],
  },
  isolation: { mode: 'none', visible: [], home: false },
  php: {
    // The user's own, what packages bring, and a source of randomness; his private directory comes on top.
    openBasedir: ['{user_directory}', '/usr/', '/dev/urandom'],
  },
  privateDirectories: {
    temporaryAgeMs: 10 * DAY_MS, // what systemd-tmpfiles gives files in /tmp
    sessionAgeMs: 30 * DAY_MS, // the longest that applications remember a visitor, as a rule
  },
  limits: LIMIT_DEFAULTS,
  log: { level: 'info', access: 'off' },
} as const;

export const defaultFrontSocket = (run: string): string => `${run}/${DEFAULTS.front.socketName}`;

/** What one worker is reckoned to need when `max_workers = 0` asks for a number from memory. */
const WORKER_MEMORY_BYTES = 64 * MIB;
const MAX_WORKERS_FLOOR = 16;
const MAX_WORKERS_CEILING = 1_024;

/** `max_workers = 0`: as many workers as fit into memory. */
export function maxWorkersFromMemory(memoryBytes: number): number {
  const fitting = Math.floor(Math.min(memoryBytes, 1_024 * GIB) / WORKER_MEMORY_BYTES);
  return Math.min(MAX_WORKERS_CEILING, Math.max(MAX_WORKERS_FLOOR, fitting));
}
