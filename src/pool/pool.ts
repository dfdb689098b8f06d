// One application x one runtime: its waiting requests, and what they are told when they cannot have a worker.
//
// Invariant between two calls: while a request waits, no worker is free that it may have.
import type { ErrorCode } from '../errors.js';
import { LIMITS } from '../limits.js';
import { fullnessFor, type Account } from './account.js';
import { ListNode } from './linked-list.js';
import type {
  Crowd,
  PoolDescription,
  PoolLimits,
  Refusal,
  RequestEnd,
  SpawnedWorker,
  WorkerExit,
} from './pool-contract.js';
import type { PoolHost } from './pool-host.js';
import { PoolWorkers } from './pool-workers.js';
import type { RetireReason } from './retire-reason.js';
import { isAboutLimits, retryAfterMsOf } from './start-gate.js';
import { WaitQueue } from './wait-queue.js';
import type { Worker } from './worker.js';

export interface PoolOptions<T extends object> {
  readonly host: PoolHost<T>;
  readonly app: string;
  readonly runtime: string;
  /** Of the application. */
  readonly account: Account;
  readonly limits: PoolLimits;
  /** Suspended from the start. */
  readonly heldBy: ErrorCode | undefined;
}

export class Pool<T extends object> {
  readonly app: string;
  readonly runtime: string;
  /** Its place among the pools that may be forgotten, and since when. */
  readonly quietPlace = new ListNode<Pool<T>>(this);
  quietSinceMs = 0;
  readonly #host: PoolHost<T>;
  readonly #account: Account;
  readonly #queue: WaitQueue<T>;
  readonly #workers: PoolWorkers;
  #minWorkers: number;
  #usedAtMs = -Infinity;
  #heldBy: ErrorCode | undefined;
  #served = 0;
  #refused = 0;

  constructor(options: PoolOptions<T>) {
    const { host, limits } = options;
    this.app = options.app;
    this.runtime = options.runtime;
    this.#host = host;
    this.#account = options.account;
    this.#minWorkers = limits.minWorkers;
    this.#heldBy = options.heldBy;
    this.#queue = new WaitQueue<T>({
      clock: host.clock,
      tickets: host.tickets,
      lengthMax: limits.queueLength,
      timeoutMs: limits.queueTimeoutMs,
      onWithdrawn: () => this.plan(),
      onDeadline: (request) => {
        this.#refuse(request, this.#deadlineRefusal());
        this.plan();
      },
    });
    this.#workers = new PoolWorkers({
      clock: host.clock,
      random: host.random,
      slots: host.slots,
      account: options.account,
      limits,
      owner: {
        need: () => host.callbacks.need(this.app, this.runtime),
        retire: (worker, reason) => host.callbacks.retire(worker, reason),
        plan: () => this.plan(),
        mayStart: () => this.#heldBy === undefined && host.supervisorAwaySinceMs() === undefined,
        queued: () => this.#queue.length,
        oldestWaitMs: (nowMs) => this.#queue.oldestWaitMs(nowMs),
        usedAtMs: () => this.#usedAtMs,
      },
    });
  }

  /** No request, no worker, and none to keep. */
  get isQuiet(): boolean {
    const { roster, asked } = this.#workers;
    return this.#queue.length + roster.size + asked + this.#minWorkers === 0;
  }

  /** Some worker takes requests, or will. */
  get hasHope(): boolean {
    return this.#workers.hasHope;
  }

  /** When nobody will miss it; Infinity while it is not quiet. */
  get forgetAtMs(): number {
    if (!this.isQuiet) return Infinity;
    const nowMs = this.#host.clock.now();
    const openAtMs = nowMs + this.#workers.gate.waitMs(nowMs);
    return Math.max(
      this.#usedAtMs + LIMITS.poolForgetMs,
      this.quietSinceMs + LIMITS.poolForgetMs,
      openAtMs,
    );
  }

  configure(limits: PoolLimits): void {
    this.#minWorkers = limits.minWorkers;
    this.#queue.configure(limits.queueLength, limits.queueTimeoutMs);
    this.#workers.configure(limits);
    this.plan();
  }

  /** @param mayProve it may find out whether a worker of a new edition comes up */
  submit(request: T, isRetried: boolean, mayProve: boolean): void {
    const nowMs = this.#host.clock.now();
    this.#usedAtMs = nowMs;
    if (isRetried && !this.#workers.hasHope) this.#workers.gate.claimSecondTry();
    const refusal = this.refusal(nowMs);
    if (refusal !== undefined) {
      this.#refuse(request, refusal);
      return;
    }
    const worker = this.#workers.trust.pick(mayProve, nowMs);
    if (worker !== undefined) {
      this.#assign(request, worker, nowMs);
      if (this.#workers.roster.hasOutdated) this.plan();
    } else if (isRetried) {
      this.#queue.resubmit(request);
      this.plan();
    } else if (this.#queue.submit(request, mayProve)) {
      this.plan();
    } else {
      this.#refuse(request, refusalFor('E_QUEUE_FULL'));
    }
  }

  /** The answer to `need`; the worker may be used after `welcome`. */
  spawned(facts: SpawnedWorker): Worker {
    return this.#workers.spawned(facts);
  }

  adopted(facts: SpawnedWorker): Worker {
    return this.#workers.adopted(facts);
  }

  welcome(worker: Worker): void {
    if (this.#heldBy !== undefined) this.#workers.retire(worker, 'surplus');
    this.#serve();
    this.plan();
  }

  /** False if no request was told of it: none waits, or others serve it. */
  refused(refusal: Refusal): boolean {
    if (!this.#workers.refused(refusal)) return true;
    const refusedBefore = this.#refused;
    // An application that was removed is not served from the memory of its last workers.
    if (this.#workers.gate.isGone(this.#host.clock.now())) this.#workers.retireAll('reload');
    if (!this.#workers.hasHope && !isAboutLimits(refusal.code)) this.#refuseAll(refusal);
    this.plan();
    return this.#refused > refusedBefore || isAboutLimits(refusal.code);
  }

  /** Requests go elsewhere from now on: nothing is kept here, and those who wait are not refused, but given back. */
  answeredElsewhere(): readonly T[] {
    const refusal = { code: 'E_SPAWN_LIMIT', retryAfterMs: LIMITS.poolRefusalHoldMs } as const;
    if (!this.#workers.refused(refusal)) return [];
    this.#minWorkers = 0;
    this.#workers.configure({ minWorkers: 0 });
    this.#workers.retireAll('reload');
    const waiting = this.#workers.hasHope ? [] : this.#queue.takeAll();
    this.#host.tally.withdrawn += waiting.length;
    this.plan();
    return waiting;
  }

  ready(worker: Worker): void {
    if (worker.isProved) return;
    this.#workers.ready(worker);
    this.plan();
  }

  ended(worker: Worker, end: RequestEnd): void {
    this.#served += 1;
    this.#workers.ended(worker, end);
    this.#serve();
    if (this.#queue.length > 0 || this.#workers.isShort) this.plan();
  }

  retire(worker: Worker, reason: RetireReason): void {
    this.#workers.retire(worker, reason);
    this.plan();
  }

  exited(worker: Worker, exit: WorkerExit): void {
    this.#workers.exited(worker, exit);
    this.plan();
  }

  renew(reason: RetireReason): void {
    this.#workers.renew(reason);
    this.plan();
  }

  /** No request gets in, no worker gets another. */
  hold(code: ErrorCode, reason: RetireReason): void {
    this.#heldBy = code;
    this.#refuseAll(refusalFor(code));
    this.#workers.retireAll(reason);
    this.plan();
  }

  letGo(): void {
    this.#heldBy = undefined;
    this.reset();
  }

  /** The next start need not wait. */
  reset(): void {
    this.#workers.gate.reset();
    this.plan();
  }

  supervisorLost(): void {
    this.#workers.forgetAsked();
    this.plan();
  }

  close(): void {
    this.#heldBy = 'E_SHUTDOWN';
    this.#refuseAll(refusalFor('E_SHUTDOWN'));
    this.#queue.close();
    this.#workers.close();
  }

  plan(): void {
    const refusal = this.#queue.length > 0 ? this.refusal(this.#host.clock.now()) : undefined;
    if (refusal !== undefined) this.#refuseAll(refusal);
    this.#serve(); // those that an older edition was to have, which is gone, or a newer one, which has come up
    this.#workers.plan();
    if (this.isQuiet) this.#host.quiet(this.app, this.runtime);
  }

  crowd(): Crowd {
    const { roster } = this.#workers;
    return {
      ids: Array.from(roster, ({ facts }) => facts.worker),
      workers: roster.size,
      stopping: roster.stopping,
      waiting: this.#queue.length,
      oldestWaitMs: this.#queue.oldestWaitMs(this.#host.clock.now()),
      full: fullnessFor(this.#account),
    };
  }

  describe(): PoolDescription {
    const nowMs = this.#host.clock.now();
    return {
      app: this.app,
      runtime: this.runtime,
      state: this.#state(nowMs),
      queue: this.#queue.length,
      served: this.#served,
      refused: this.#refused,
      workers: Array.from(this.#workers.roster, (worker) => worker.describe(nowMs)),
    };
  }

  #state(nowMs: number): PoolDescription['state'] {
    const { roster, gate, asked } = this.#workers;
    if (this.#heldBy !== undefined) return 'suspended';
    if (roster.ready > 0) return 'running';
    if (roster.usable + asked > 0) return 'starting';
    return gate.isBackingOff(nowMs) ? 'backoff' : roster.size > 0 ? 'running' : 'idle';
  }

  /** Gives waiting requests to free workers: each in its turn, but one that no free worker may have keeps nobody else waiting. */
  #serve(): void {
    while (this.#queue.length > 0) {
      const nowMs = this.#host.clock.now();
      const anybodys = this.#workers.trust.pick(false, nowMs);
      const worker = anybodys ?? this.#workers.trust.pick(true, nowMs);
      if (worker === undefined) return;
      const request = anybodys === undefined ? this.#queue.takeProving() : this.#queue.take();
      if (request === undefined) return;
      this.#assign(request, worker, nowMs);
    }
  }

  #assign(request: T, worker: Worker, nowMs: number): void {
    this.#host.tally.assigned += 1;
    this.#workers.assign(worker, nowMs);
    this.#host.callbacks.assign(request, worker.facts);
  }

  /** Why a request that came now could not even wait; undefined if it could. */
  refusal(nowMs: number): Refusal | undefined {
    if (this.#heldBy !== undefined) return refusalFor(this.#heldBy);
    if (this.#workers.hasHope) return undefined;
    const refusal = this.#workers.gate.refusal(nowMs);
    if (refusal !== undefined) return refusal;
    const awaySinceMs = this.#host.supervisorAwaySinceMs() ?? Infinity;
    const isLongAway = nowMs - awaySinceMs >= LIMITS.supervisorAwayGraceMs;
    return isLongAway ? refusalFor('E_SUPERVISOR_AWAY') : undefined;
  }

  /** Why a request has waited in vain. */
  #deadlineRefusal(): Refusal {
    if (this.#workers.hasHope) return refusalFor('E_QUEUE_DEADLINE');
    const isAway = this.#host.supervisorAwaySinceMs() !== undefined;
    return refusalFor(isAway ? 'E_SUPERVISOR_AWAY' : 'E_SPAWN_LIMIT');
  }

  #refuse(request: T, refusal: Refusal): void {
    this.#refused += 1;
    this.#host.tally.refused += 1;
    this.#host.callbacks.refuse(request, refusal.code, refusal.retryAfterMs);
  }

  /** Those that wait now; a request that comes back at once while this runs has to wait for its own answer. */
  #refuseAll(refusal: Refusal): void {
    for (let count = this.#queue.length; count > 0; count -= 1) {
      const request = this.#queue.take();
      if (request !== undefined) this.#refuse(request, refusal);
    }
  }
}

const refusalFor = (code: ErrorCode): Refusal => ({ code, retryAfterMs: retryAfterMsOf(code) });
