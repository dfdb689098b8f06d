// What a simulated machine is made of, and the chance that drives it.
import type { PoolLimits, SpawnedWorker } from '../../src/pool/index.js';

export interface World {
  readonly seed: number;
  readonly users: number;
  readonly appsPerUser: number;
  readonly maxWorkers: number;
  readonly limits: PoolLimits;
  readonly concurrency: number;
  /** Mean time between two requests of one application. */
  readonly arrivalMs: number;
  readonly launchMs: number;
  readonly startMs: number;
  readonly serviceMs: number;
  readonly stopMs: number;
  /** Chances, from 0 to 1. */
  readonly crash: number;
  readonly failedStart: number;
  readonly refusal: number;
  readonly leave: number;
  readonly unrepeatable: number;
  readonly dirty: number;
  /** Mean time between two restarts, limit changes and losses of the supervisor; 0: never. */
  readonly disturbMs: number;
}

export interface Request {
  readonly app: App;
  submittedAtMs: number;
  isRetried: boolean;
  readonly isUnrepeatable: boolean;
  state: 'waiting' | 'assigned' | 'ended' | 'refused' | 'withdrawn';
}

export interface Worker {
  readonly facts: SpawnedWorker;
  readonly app: App;
  readonly requests: Set<Request>;
  isUp: boolean;
  isRetired: boolean;
  isGone: boolean;
  assigned: number;
}

export interface App {
  readonly name: string;
  readonly user: User;
  slots: number;
  asked: number;
  waiting: number;
  retried: number;
  /** Requests that one worker takes, as far as anybody can know. */
  concurrency: number;
}

export interface User {
  slots: number;
  served: number;
}

/** mulberry32: small, fast, the same on every machine. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const userOf = (app: App): string => app.name.slice(0, app.name.indexOf('/'));

export function newWorker(app: App, pid: number, concurrency: number): Worker {
  return {
    facts: { worker: `w${pid}`, pid, protocol: 'fastcgi', concurrency, maxRequests: 0 },
    app,
    requests: new Set(),
    isUp: false,
    isRetired: false,
    isGone: false,
    assigned: 0,
  };
}
