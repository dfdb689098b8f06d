// The keys of every [limits] table in one list: the field it fills, its unit, and what it may be.
import type { UserLimits } from './config-types.js';

export interface LimitKey {
  readonly field: keyof UserLimits;
  readonly unit: 'count' | 'duration' | 'size';
  readonly min: number;
  readonly max: number;
  /** 0 is allowed besides min…max and means "no limit". */
  readonly zeroIsUnlimited?: true;
  /** Belongs to the user as a whole, so an application's manifest cannot say it. */
  readonly userOnly?: true;
}

const WORKERS_MAX = 10_000;
/** Timers hold 2^31 - 1 ms; a week is far enough below it. */
const DURATION_MAX_MS = 168 * 3_600_000;
/** Below this a deadline is only a way to fail. */
const DURATION_MIN_MS = 10;
const SIZE_MAX_BYTES = 2 ** 50;

const duration = { unit: 'duration', min: DURATION_MIN_MS, max: DURATION_MAX_MS } as const;

/** cgroup v2, cpu.weight and io.weight. */
const weight = { unit: 'count', min: 1, max: 10_000, userOnly: true } as const;

const LIMIT_KEYS = {
  max_workers_per_app: { field: 'maxWorkersPerApp', unit: 'count', min: 1, max: WORKERS_MAX },
  max_workers_per_user: {
    field: 'maxWorkersPerUser',
    unit: 'count',
    min: 1,
    max: WORKERS_MAX,
    userOnly: true,
  },
  min_workers: { field: 'minWorkers', unit: 'count', min: 0, max: WORKERS_MAX },
  queue_length: { field: 'queueLength', unit: 'count', min: 1, max: 100_000 },
  queue_timeout: { field: 'queueTimeoutMs', ...duration },
  idle_timeout: { field: 'idleTimeoutMs', ...duration },
  start_timeout: { field: 'startTimeoutMs', ...duration },
  first_byte_timeout: { field: 'firstByteTimeoutMs', ...duration },
  silence_timeout: { field: 'silenceTimeoutMs', ...duration },
  request_timeout: { field: 'requestTimeoutMs', ...duration },
  stop_timeout: { field: 'stopTimeoutMs', ...duration },
  max_requests: {
    field: 'maxRequests',
    unit: 'count',
    min: 1,
    max: 1_000_000_000,
    zeroIsUnlimited: true,
  },
  recycle_memory: {
    field: 'recycleMemoryBytes',
    unit: 'size',
    min: 1_048_576,
    max: SIZE_MAX_BYTES,
    zeroIsUnlimited: true,
  },
  max_body: {
    field: 'maxBodyBytes',
    unit: 'size',
    min: 1,
    max: SIZE_MAX_BYTES,
    zeroIsUnlimited: true,
  },
  // A Node or Java worker needs more; below 1 MiB not even /bin/sh starts.
  memory_max: {
    field: 'memoryMaxBytes',
    unit: 'size',
    min: 1_048_576,
    max: SIZE_MAX_BYTES,
    zeroIsUnlimited: true,
  },
  memory_high: {
    field: 'memoryHighBytes',
    unit: 'size',
    min: 1_048_576,
    max: SIZE_MAX_BYTES,
    zeroIsUnlimited: true,
  },
  // The launcher and its worker are two processes for a moment, and most runtimes start threads.
  pids_max: { field: 'pidsMax', unit: 'count', min: 4, max: 4_194_304 },
  cpu_weight: { field: 'cpuWeight', ...weight },
  io_weight: { field: 'ioWeight', ...weight },
  slow_request: { field: 'slowRequestMs', ...duration },
} as const satisfies Record<string, LimitKey>;

export type LimitName = keyof typeof LIMIT_KEYS;

export const LIMIT_NAMES = Object.keys(LIMIT_KEYS) as readonly LimitName[];

/** The row of a key, with the optional columns visible to the compiler. */
export const limitKey = (name: LimitName): LimitKey => LIMIT_KEYS[name];
