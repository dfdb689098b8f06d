// All pools of one router: the face of this folder. It decides who gets the next worker, and acts through callbacks only.
import type { ErrorCode } from '../errors.js';
import { LIMITS } from '../limits.js';
import { Alarm } from './alarm.js';
import type { Clock } from './clock.js';
import type {
  Crowd,
  PoolCallbacks,
  PoolCounts,
  PoolDescription,
  PoolLimits,
  Refusal,
  RequestEnd,
  SpawnedWorker,
  WorkerExit,
} from './pool-contract.js';
import type { PoolHost, Tally } from './pool-host.js';
import { PoolRegistry } from './pool-registry.js';
import type { Pool } from './pool.js';
import type { RetireReason } from './retire-reason.js';
import { retryAfterMsOf } from './start-gate.js';
import { Slots } from './slots.js';
import type { Ticket } from './wait-queue.js';
import type { Worker } from './worker.js';

export interface PoolSetOptions<T> {
  readonly callbacks: PoolCallbacks<T>;
  readonly clock: Clock;
  /** Of all users together. */
  readonly maxWorkers: number;
  /** From 0 to below 1; for the jitter of the back-off. */
  readonly random?: () => number;
}

export interface SubmitOptions {
  /** Its worker died: it goes to the head of the queue, however long that is. */
  readonly retried?: boolean;
  /** Nobody gives it to another worker if its worker dies. */
  readonly unrepeatable?: boolean;
}

interface Membership<T extends object> {
  readonly pool: Pool<T>;
  readonly worker: Worker;
}

export class PoolSet<T extends object> {
  readonly #callbacks: PoolCallbacks<T>;
  readonly #clock: Clock;
  readonly #slots: Slots;
  readonly #tickets = new Map<T, Ticket<T>>();
  readonly #tally: Tally = { submitted: 0, assigned: 0, refused: 0, withdrawn: 0 };
  readonly #registry: PoolRegistry<T>;
  readonly #workers = new Map<string, Membership<T>>();
  /** Suspended, whether or not there is a pool. */
  readonly #heldUsers = new Set<string>();
  readonly #heldApps = new Set<string>();
  readonly #awayAlarm: Alarm;
  #awaySinceMs: number | undefined = undefined;
  /** Every request is refused with this. */
  #closedBy: ErrorCode | undefined = undefined;

  constructor(options: PoolSetOptions<T>) {
    this.#callbacks = options.callbacks;
    this.#clock = options.clock;
    this.#slots = new Slots(options.maxWorkers, options.clock);
    this.#awayAlarm = new Alarm(options.clock, () => this.#planAll());
    const host: PoolHost<T> = {
      callbacks: options.callbacks,
      clock: options.clock,
      random: options.random ?? Math.random,
      slots: this.#slots,
      tickets: this.#tickets,
      tally: this.#tally,
      supervisorAwaySinceMs: () => this.#awaySinceMs,
      quiet: (app, runtime) => {
        const pool = this.#registry.get(app, runtime);
        if (pool !== undefined) this.#registry.watch(pool);
      },
    };
    this.#registry = new PoolRegistry(host);
  }

  /** Makes a pool, or changes the limits of one and of its application and user. */
  configure(app: string, runtime: string, user: string, limits: PoolLimits): void {
    this.#registry.configure({ app, runtime, user }, limits, this.#holdOf(app, user)).plan();
  }

  /** The same, when a worker of it is told of next: it is one of those that are to be kept. */
  introduce(app: string, runtime: string, user: string, limits: PoolLimits): void {
    this.#registry.configure({ app, runtime, user }, limits, this.#holdOf(app, user));
  }

  /** False once a pool was quiet for a while: it is configured anew then. */
  has(app: string, runtime: string): boolean {
    return this.#registry.get(app, runtime) !== undefined;
  }

  /** Ends in `assign` or `refuse`, perhaps at once. */
  submit(app: string, runtime: string, request: T, options: SubmitOptions = {}): void {
    this.#tally.submitted += 1;
    const { retried = false, unrepeatable = false } = options;
    const pool = this.#registry.get(app, runtime);
    if (pool !== undefined) pool.submit(request, retried, !retried && !unrepeatable);
    else this.#refuseUnknown(request);
  }

  /**
   * Why a request for this application would be refused whatever its runtime; undefined if it would not. A runtime that
   * has workers goes on, whatever became of the others; without any, one that may not start speaks for all.
   */
  blocked(app: string): Refusal | undefined {
    let found: Refusal | undefined;
    for (const pool of this.#registry.poolsOf(app)) {
      const refusal = pool.refusal(this.#clock.now());
      if (refusal === undefined && pool.hasHope) return undefined;
      found ??= refusal;
    }
    return found;
  }

  /** The same of one runtime. */
  refusal(app: string, runtime: string): Refusal | undefined {
    return this.#registry.get(app, runtime)?.refusal(this.#clock.now());
  }

  /** What keeps requests from workers; undefined where there is no such pool. */
  crowd(app: string, runtime: string): Crowd | undefined {
    return this.#registry.get(app, runtime)?.crowd();
  }

  /** The web server left while the request waited; false if it does not wait. */
  withdraw(request: T): boolean {
    const isWithdrawn = this.#tickets.get(request)?.value.queue.withdraw(request) ?? false;
    if (isWithdrawn) this.#tally.withdrawn += 1;
    return isWithdrawn;
  }

  spawned(app: string, runtime: string, worker: SpawnedWorker): void {
    const pool = this.#registry.get(app, runtime);
    if (this.#workers.has(worker.worker)) return;
    if (pool === undefined) this.#callbacks.retire(worker.worker, 'surplus');
    else this.#join(pool, pool.spawned(worker));
  }

  /** A living worker that the supervisor told of after a reconnection; one that is known already is left as it is. */
  adopted(app: string, runtime: string, worker: SpawnedWorker): void {
    const pool = this.#registry.get(app, runtime);
    if (this.#workers.has(worker.worker)) return;
    if (pool === undefined) this.#callbacks.retire(worker.worker, 'surplus');
    else this.#join(pool, pool.adopted(worker));
  }

  /** The supervisor found no room for the first worker of an application of this user. */
  makeRoom(user: string): void {
    this.#registry.makeRoom(user);
  }

  /** False if it was news, and no request was told of it. */
  refused(app: string, runtime: string, code: ErrorCode, retryAfterMs: number): boolean {
    return this.#registry.get(app, runtime)?.refused({ code, retryAfterMs }) ?? true;
  }

  /**
   * The answer to `need` was a worker of another pool: the application has chosen another of its runtimes. Whoever waits here
   * and has nobody to wait for is given back, to be submitted there.
   */
  answeredElsewhere(app: string, runtime: string): readonly T[] {
    return this.#registry.get(app, runtime)?.answeredElsewhere() ?? [];
  }

  /** The first byte of an answer; only the first one of a worker counts. */
  ready(worker: string): void {
    const member = this.#workers.get(worker);
    member?.pool.ready(member.worker);
  }

  /** A request has left its worker. */
  ended(worker: string, end: RequestEnd): void {
    const member = this.#workers.get(worker);
    member?.pool.ended(member.worker, end);
  }

  /** `deadline` and `protocol` give up what the worker has; every other reason lets it end. */
  retire(worker: string, reason: RetireReason): void {
    const member = this.#workers.get(worker);
    member?.pool.retire(member.worker, reason);
  }

  /** A request has seen the end of its connection: that this worker was then asked to end says nothing of why it did. */
  hasDied(worker: string): boolean {
    return this.#workers.get(worker)?.worker.hasDied === true;
  }

  /** The requests that it had are the caller's: it may submit them again. */
  exited(worker: string, exit: WorkerExit): void {
    const member = this.#workers.get(worker);
    this.#workers.delete(worker);
    member?.pool.exited(member.worker, exit);
  }

  /**
   * Graceful restart of an application, of all of a user, or of everything. With `hold` requests are refused instead,
   * until `resume`; with neither application nor user, for good: usherd stops.
   */
  drain(
    app: string | undefined,
    user: string | undefined,
    reason: RetireReason,
    options: { readonly hold: boolean },
  ): void {
    const pools = this.#registry.select(app, user);
    if (!options.hold) {
      for (const pool of pools) pool.renew(reason);
      return;
    }
    if (app !== undefined) this.#heldApps.add(app);
    else if (user !== undefined) this.#heldUsers.add(user);
    else this.#closedBy = 'E_SHUTDOWN';
    for (const pool of pools) pool.hold(this.#closedBy ?? 'E_SUSPENDED', reason);
  }

  resume(user: string): void {
    this.#heldUsers.delete(user);
    for (const app of this.#heldApps) if (app.startsWith(`${user}/`)) this.#heldApps.delete(app);
    if (this.#closedBy !== undefined) return;
    for (const pool of this.#registry.select(undefined, user)) pool.letGo();
  }

  /** Of those who are held nobody is any more: a supervisor that has just come says anew who is. */
  resumeAll(): void {
    const users = new Set(this.#heldUsers);
    for (const app of this.#heldApps) users.add(app.slice(0, app.indexOf('/')));
    for (const user of users) this.resume(user);
  }

  /** Starts the application, or any one, at once at the next request, however often it crashed. */
  reset(app: string | undefined): void {
    for (const pool of this.#registry.select(app, undefined)) pool.reset();
  }

  setMaxWorkers(maxWorkers: number): void {
    this.#slots.setMax(this.#slots.total, maxWorkers);
  }

  /** What was asked for will not be answered, and nothing is asked for until `supervisorBack`. */
  supervisorLost(): void {
    if (this.#awaySinceMs !== undefined) return;
    this.#awaySinceMs = this.#clock.now();
    for (const pool of this.#registry.select(undefined, undefined)) pool.supervisorLost();
    this.#awayAlarm.arm(this.#awaySinceMs + LIMITS.supervisorAwayGraceMs);
  }

  /** After every living worker was told to `adopted`, and every other one to `exited`. */
  supervisorBack(): void {
    this.#awaySinceMs = undefined;
    this.#awayAlarm.disarm();
    this.#planAll();
  }

  counts(): PoolCounts {
    let busy = 0;
    for (const { worker } of this.#workers.values()) if (worker.inFlight > 0) busy += 1;
    return {
      ...this.#tally,
      pools: this.#registry.size,
      waiting: this.#tickets.size,
      slots: this.#slots.total.count,
      workers: this.#workers.size,
      busy,
    };
  }

  *describe(): Generator<PoolDescription> {
    for (const pool of this.#registry.select(undefined, undefined)) yield pool.describe();
  }

  /** Refuses everything and arms no timer any more. */
  close(): void {
    this.#closedBy = 'E_SHUTDOWN';
    this.#awayAlarm.disarm();
    for (const pool of this.#registry.select(undefined, undefined)) pool.close();
    this.#registry.close();
  }

  #holdOf(app: string, user: string): ErrorCode | undefined {
    if (this.#closedBy !== undefined) return this.#closedBy;
    return this.#heldUsers.has(user) || this.#heldApps.has(app) ? 'E_SUSPENDED' : undefined;
  }

  /** Known to the set before its pool uses it: `assign` may be answered by `ended` at once. */
  #join(pool: Pool<T>, worker: Worker): void {
    this.#workers.set(worker.facts.worker, { pool, worker });
    pool.welcome(worker);
  }

  #planAll(): void {
    for (const pool of this.#registry.select(undefined, undefined)) pool.plan();
  }

  #refuseUnknown(request: T): void {
    this.#tally.refused += 1;
    const code = this.#closedBy ?? 'E_APP_UNKNOWN';
    this.#callbacks.refuse(request, code, retryAfterMsOf(code));
  }
}
