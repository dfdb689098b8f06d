// What a set of pools needs to be told, and what it tells: the types of its face.
import type { ErrorCode } from '../errors.js';
import type { RetireReason } from './retire-reason.js';
import type { WorkerState } from './worker-state.js';

export interface PoolLimits {
  /** Processes of one application, whatever their runtime. */
  readonly maxWorkersPerApp: number;
  readonly minWorkers: number;
  readonly queueLength: number;
  readonly queueTimeoutMs: number;
  readonly idleTimeoutMs: number;
  /** For workers that come without a number of their own; 0: no limit. */
  readonly maxRequests: number;
  readonly maxWorkersPerUser: number;
}

export interface SpawnedWorker {
  /** The supervisor's name for it. */
  readonly worker: string;
  readonly pid: number;
  readonly protocol: string;
  /** Requests that it takes at once. */
  readonly concurrency: number;
  /** Requests in its life; 0: as the limits of the application say. */
  readonly maxRequests: number;
}

export interface WorkerExit {
  /** `launch`: the program of the tenant was never reached. */
  readonly phase: 'launch' | 'run';
  /** The supervisor had been asked to stop it. */
  readonly wanted: boolean;
  readonly code: number | undefined;
  readonly signal: string | undefined;
}

/** How a request left its worker: after `dirty` the worker gets no other, after `died` it is, or seems to be, no more. */
export type RequestEnd = 'clean' | 'dirty' | 'died';

/** Called from inside the methods of PoolSet, which may be called from inside these. */
export interface PoolCallbacks<T> {
  /** Ask for one worker; answered by `spawned` or `refused`, in the order of asking within a pool. */
  need(app: string, runtime: string): void;
  assign(request: T, worker: SpawnedWorker): void;
  refuse(request: T, code: ErrorCode, retryAfterMs: number): void;
  /** Have the worker stopped; answered by `exited`. */
  retire(worker: string, reason: RetireReason): void;
}

/** An answer to requests instead of a worker. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly retryAfterMs: number;
}

/** What stands between a request and a worker. */
export interface Crowd {
  /** The supervisor's names for those of the pool. */
  readonly ids: readonly string[];
  readonly workers: number;
  readonly stopping: number;
  readonly waiting: number;
  /** 0 if none waits. */
  readonly oldestWaitMs: number;
  /** The nearest limit that allows no further worker. */
  readonly full: Fullness | undefined;
}

export interface Fullness {
  readonly level: 'app' | 'user' | 'total';
  readonly count: number;
  readonly max: number;
}

export interface WorkerDescription {
  readonly worker: string;
  readonly pid: number;
  readonly state: WorkerState['kind'];
  readonly requestsServed: number;
  readonly inFlight: number;
  readonly ageMs: number;
}

export interface PoolDescription {
  readonly app: string;
  readonly runtime: string;
  readonly state: 'idle' | 'starting' | 'running' | 'backoff' | 'suspended';
  readonly queue: number;
  readonly served: number;
  readonly refused: number;
  readonly workers: readonly WorkerDescription[];
}

/** Of all pools since the start, and now. */
export interface PoolCounts {
  readonly pools: number;
  readonly submitted: number;
  readonly assigned: number;
  readonly refused: number;
  readonly withdrawn: number;
  readonly waiting: number;
  /** Slots taken: workers that were asked for, live, or are being stopped. */
  readonly slots: number;
  readonly workers: number;
  /** Workers that have a request. */
  readonly busy: number;
}
