// A pool set on a virtual clock whose callbacks are written down, with a supervisor played by the test.
import type { ErrorCode } from '../../src/errors.js';
import {
  PoolSet,
  type PoolDescription,
  type PoolLimits,
  type SpawnedWorker,
  type SubmitOptions,
  type WorkerExit,
} from '../../src/pool/index.js';
import { VirtualClock } from './virtual-clock.js';

export interface Request {
  readonly name: string;
}

const LIMITS_OF_TEST: PoolLimits = {
  maxWorkersPerApp: 4,
  minWorkers: 0,
  queueLength: 100,
  queueTimeoutMs: 30_000,
  idleTimeoutMs: 300_000,
  maxRequests: 0,
  maxWorkersPerUser: 8,
};

export const KILLED: WorkerExit = {
  phase: 'run',
  wanted: false,
  code: undefined,
  signal: 'SIGKILL',
};
export const STOPPED: WorkerExit = { phase: 'run', wanted: true, code: 0, signal: undefined };
export const FAILED: WorkerExit = { phase: 'run', wanted: false, code: 1, signal: undefined };

export interface Refused {
  readonly request: string;
  readonly code: ErrorCode;
  readonly retryAfterMs: number;
}

/** `alice/blog` with the runtime php, unless a test says otherwise. */
export class PoolStage {
  readonly clock = new VirtualClock();
  readonly set: PoolSet<Request>;
  /** Applications for which a worker was asked and not answered yet. */
  readonly needs: string[] = [];
  readonly assigned: { request: string; worker: string }[] = [];
  readonly refused: Refused[] = [];
  readonly retired: { worker: string; reason: string }[] = [];
  #serial = 0;

  constructor(options: { maxWorkers?: number; random?: () => number } = {}) {
    this.set = new PoolSet<Request>({
      clock: this.clock,
      maxWorkers: options.maxWorkers ?? 64,
      random: options.random ?? (() => 0.5),
      callbacks: {
        need: (app) => this.needs.push(app),
        assign: ({ name }, { worker }) => this.assigned.push({ request: name, worker }),
        refuse: ({ name }, code, retryAfterMs) =>
          this.refused.push({ request: name, code, retryAfterMs }),
        retire: (worker, reason) => this.retired.push({ worker, reason }),
      },
    });
  }

  configure(limits: Partial<PoolLimits> = {}, app = 'alice/blog', runtime = 'php'): void {
    const user = app.slice(0, app.indexOf('/'));
    this.set.configure(app, runtime, user, { ...LIMITS_OF_TEST, ...limits });
  }

  submit(name: string, app = 'alice/blog', options?: SubmitOptions): Request {
    const request = { name };
    this.set.submit(app, 'php', request, options);
    return request;
  }

  /** A request that nobody gives to another worker. */
  post(name: string, app = 'alice/blog'): Request {
    return this.submit(name, app, { unrepeatable: true });
  }

  submitMany(count: number, app = 'alice/blog'): void {
    for (let index = 1; index <= count; index += 1) this.submit(`r${index}`, app);
  }

  /** Answers the oldest need of an application. */
  spawn(app = 'alice/blog', facts: Partial<SpawnedWorker> = {}): string {
    const index = this.needs.indexOf(app);
    if (index < 0) throw new Error(`no worker was asked for by ${app}`);
    this.needs.splice(index, 1);
    const worker = this.nextWorker(facts);
    this.set.spawned(app, 'php', worker);
    return worker.worker;
  }

  adopt(app = 'alice/blog', facts: Partial<SpawnedWorker> = {}): string {
    const worker = this.nextWorker(facts);
    this.set.adopted(app, 'php', worker);
    return worker.worker;
  }

  /** The supervisor starts nothing. */
  refuseNeed(code: ErrorCode, retryAfterMs: number, app = 'alice/blog'): void {
    this.needs.splice(this.needs.indexOf(app), 1);
    this.set.refused(app, 'php', code, retryAfterMs);
  }

  /** One request, from its submission to its end, on a worker that is there already. */
  serveOne(name: string, worker: string, serviceMs = 10, app = 'alice/blog'): void {
    this.submit(name, app);
    this.clock.advance(serviceMs);
    this.set.ready(worker);
    this.set.ended(worker, 'clean');
  }

  /** A worker that has served one request and is free. */
  warm(app = 'alice/blog', facts: Partial<SpawnedWorker> = {}): string {
    this.submit('warm', app);
    const worker = this.spawn(app, facts);
    this.set.ready(worker);
    this.set.ended(worker, 'clean');
    return worker;
  }

  describe(app = 'alice/blog'): PoolDescription {
    for (const pool of this.set.describe()) if (pool.app === app) return pool;
    throw new Error(`no pool of ${app}`);
  }

  workerOf(request: string): string | undefined {
    return this.assigned.findLast((one) => one.request === request)?.worker;
  }

  codeOf(request: string): ErrorCode | undefined {
    return this.refused.findLast((one) => one.request === request)?.code;
  }

  nextWorker(facts: Partial<SpawnedWorker> = {}): SpawnedWorker {
    this.#serial += 1;
    const worker = `w${this.#serial}`;
    return {
      worker,
      pid: this.#serial,
      protocol: 'fastcgi',
      concurrency: 1,
      maxRequests: 0,
      ...facts,
    };
  }
}
