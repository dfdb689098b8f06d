// Who gets the next worker: queues, limits, back-off and the life of workers, for all applications of one router.
export { Alarm } from './alarm.js';
export { systemClock, type Clock } from './clock.js';
export {
  NO_BACKOFF,
  afterCrash,
  afterHealth,
  afterReset,
  blockedMs,
  type Backoff,
} from './backoff.js';
export type {
  Crowd,
  PoolCallbacks,
  PoolCounts,
  PoolDescription,
  PoolLimits,
  RequestEnd,
  SpawnedWorker,
  WorkerDescription,
  WorkerExit,
} from './pool-contract.js';
export { PoolSet, type PoolSetOptions, type SubmitOptions } from './pool-set.js';
export { type RetireReason } from './retire-reason.js';
export { WaitQueue } from './wait-queue.js';
export {
  WORKER_TABLE,
  stepWorker,
  type WorkerEffect,
  type WorkerEvent,
  type WorkerState,
} from './worker-state.js';
