// The workers of one pool: when to ask for more, which one is next, when one has to go. Of requests it knows only counts.
import { LIMITS } from '../limits.js';
import { Account, type Slot, type Stamp, type Tenant } from './account.js';
import { Alarm } from './alarm.js';
import type { Clock } from './clock.js';
import { Durations } from './durations.js';
import { GIVE_UP, GivenUp } from './given-up.js';
import { IdleTimeout } from './idle-timeout.js';
import type {
  PoolLimits,
  Refusal,
  RequestEnd,
  SpawnedWorker,
  WorkerExit,
} from './pool-contract.js';
import { recheckAfterMs, workersToStart, type Load } from './pool-policy.js';
import type { RetireReason } from './retire-reason.js';
import { Roster } from './roster.js';
import type { Slots } from './slots.js';
import { StartGate } from './start-gate.js';
import { Trust } from './trust.js';
import type { WorkerEvent } from './worker-state.js';
import { Worker } from './worker.js';
import type { WorkersOwner } from './workers-owner.js';

export interface PoolWorkersOptions {
  readonly owner: WorkersOwner;
  readonly clock: Clock;
  readonly random: () => number;
  readonly slots: Slots;
  /** Of the application. */
  readonly account: Account;
  readonly limits: PoolLimits;
}

export class PoolWorkers implements Tenant {
  readonly roster = new Roster();
  readonly trust: Trust;
  readonly gate = new StartGate();
  readonly #owner: WorkersOwner;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #slots: Slots;
  readonly #account: Account;
  readonly #leaf: Account;
  /** Slots of workers that were asked for and are not spawned yet, in the order of asking. */
  readonly #asked: Slot[] = [];
  readonly #idleTimeout: IdleTimeout;
  readonly #planAlarm: Alarm;
  readonly #givenUp: GivenUp;
  readonly #durations = new Durations();
  #limits: PoolLimits;
  #concurrency = 1;
  #renewReason: RetireReason = 'reload';

  constructor(options: PoolWorkersOptions) {
    this.#owner = options.owner;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#slots = options.slots;
    this.#account = options.account;
    this.#limits = options.limits;
    this.#leaf = new Account({ parent: options.account, max: Infinity, tenant: this });
    this.#idleTimeout = new IdleTimeout({
      roster: this.roster,
      clock: options.clock,
      limits: options.limits,
      retire: (worker) => this.retire(worker, 'idle'),
    });
    this.trust = new Trust(this.roster, options.owner, () => this.#limits.queueTimeoutMs);
    this.#planAlarm = new Alarm(options.clock, () => this.#owner.plan());
    this.#givenUp = new GivenUp(options.clock, (worker) => this.#apply(worker, GIVE_UP));
  }

  get asked(): number {
    return this.#asked.length;
  }

  /** Some worker takes requests, or will. */
  get hasHope(): boolean {
    return this.roster.usable + this.#asked.length > 0;
  }

  /** The pool waits for a slot that others have. */
  get isShort(): boolean {
    return this.#leaf.short > 0;
  }

  configure(limits: Partial<PoolLimits>): void {
    this.#limits = { ...this.#limits, ...limits };
    this.#idleTimeout.configure(this.#limits);
  }

  /** Gives one request to a worker that `trust.pick` has found. */
  assign(worker: Worker, nowMs: number): void {
    worker.noteAssigned(nowMs);
    this.#apply(worker, { kind: 'assigned' });
    if (!worker.isSpent(this.#limits.maxRequests)) return;
    this.#apply(worker, { kind: 'retire', reason: 'max-requests' });
    this.#replace(nowMs);
  }

  /** One request left the worker. */
  ended(worker: Worker, end: RequestEnd): void {
    const isClean = end === 'clean';
    const nowMs = this.#clock.now();
    this.#durations.noteEnded(worker, nowMs, isClean);
    worker.idleSinceMs = nowMs;
    if (end === 'died') {
      worker.hasDied = true;
      this.#countCrash(worker, 'run');
    }
    if (!isClean) this.#apply(worker, { kind: 'retire', reason: 'protocol' });
    this.#apply(worker, { kind: 'ended' });
  }

  /** The answer to `need`. One that nobody asked for is taken as well: it exists. */
  spawned(facts: SpawnedWorker): Worker {
    const slot = this.#asked.shift() ?? this.#slots.claim(this.#leaf, this.#stamp);
    this.gate.spawned();
    return this.#join(facts, slot, false);
  }

  /** A worker from before the router was restarted. */
  adopted(facts: SpawnedWorker): Worker {
    return this.#join(facts, this.#slots.claim(this.#leaf, this.#stamp), true);
  }

  /** The other answer to `need`; false if none was open. */
  refused(refusal: Refusal): boolean {
    const slot = this.#asked.shift();
    if (slot === undefined) return false;
    const [nowMs, random] = [this.#clock.now(), this.#random()];
    this.gate.refused(refusal, { nowMs, batch: slot.stamp.batch, wasHealthy: false, random });
    this.#slots.release(slot);
    return true;
  }

  /** The first byte of the first answer of a worker. */
  ready(worker: Worker): void {
    const nowMs = this.#clock.now();
    this.#durations.noteReady(worker, nowMs);
    worker.isProved = true;
    this.#apply(worker, { kind: 'ready' });
    this.gate.proved();
    for (const other of this.roster.olderThan(worker)) this.retire(other, this.#renewReason);
  }

  retire(worker: Worker, reason: RetireReason): void {
    const isGivenUp = reason === 'deadline' || reason === 'protocol';
    const hasOthers = isGivenUp && worker.isProved && worker.inFlight > 1;
    this.#apply(worker, { kind: isGivenUp && !hasOthers ? 'deadline' : 'retire', reason });
    if (hasOthers) this.#givenUp.add(worker);
  }

  retireAll(reason: RetireReason): void {
    for (const worker of [...this.roster]) this.retire(worker, reason);
  }

  exited(worker: Worker, exit: WorkerExit): void {
    if (!exit.wanted) this.#countCrash(worker, exit.phase);
    if (!exit.wanted || worker.hasDied) this.gate.ended(exit.code, worker.isProved);
    this.#apply(worker, { kind: 'exit' });
  }

  /** Newer workers take over when they are needed and have come up; until then the old ones go on. */
  renew(reason: RetireReason): void {
    this.#renewReason = reason;
    this.gate.reset();
    this.roster.renew();
  }

  /** What was asked for will not be answered. */
  forgetAsked(): void {
    for (const slot of this.#asked.splice(0)) this.#slots.release(slot);
  }

  close(): void {
    this.#idleTimeout.disarm();
    this.#planAlarm.disarm();
    this.#givenUp.disarm();
    this.#slots.close(this.#leaf);
  }

  /** Asks for the workers that pay, one after the other, because an answer may come within the call. */
  plan(): void {
    const nowMs = this.#clock.now();
    if (this.#owner.queued() > 0) this.#planAlarm.arm(this.trust.nextAtMs(nowMs));
    let count = this.#workersToStart(nowMs);
    while (count > 0) {
      const slot = this.#slots.take(this.#leaf, this.#stamp);
      if (slot === undefined) break;
      this.#ask(slot);
      count = this.#workersToStart(nowMs);
    }
    this.#slots.await(this.#leaf, count);
  }

  canSpare(slot: Slot): boolean {
    return this.roster.usable > this.#limits.minWorkers || slot.stamp.edition < this.roster.edition;
  }

  evict(slot: Slot): void {
    const worker = this.roster.at(slot);
    if (worker !== undefined) this.retire(worker, 'surplus');
  }

  #countCrash(worker: Worker, phase: WorkerExit['phase']): void {
    const crash = worker.takeCrash(phase, this.#clock.now());
    if (crash !== undefined) this.gate.crashed({ ...crash, random: this.#random() });
  }

  get #stamp(): Stamp {
    return { edition: this.roster.edition, batch: this.gate.batch };
  }

  #workersToStart(nowMs: number): number {
    if (!this.#owner.mayStart()) return 0;
    const count = this.#asked.length + this.roster.size;
    const renew = this.#mustRenew(nowMs);
    // At the cap under load this is the usual case; whatever ends plans again.
    if (count >= this.#account.max && !renew) return 0;
    const load = this.#load(nowMs);
    const usable = this.#asked.length + this.roster.usable;
    const waitMs = this.gate.waitMs(nowMs);
    if (waitMs > 0) {
      if (load.queued > 0 || usable < this.#limits.minWorkers) this.#planAlarm.arm(nowMs + waitMs);
      return 0;
    }
    const unaskedMs = this.gate.unaskedWaitMs(nowMs);
    if (unaskedMs > 0 && usable < this.#limits.minWorkers) this.#planAlarm.arm(nowMs + unaskedMs);
    const recheckMs = recheckAfterMs(load);
    if (recheckMs !== undefined) this.#planAlarm.arm(nowMs + recheckMs);
    const starting = this.gate.isProbing ? this.#unproved(nowMs) : load.starting;
    return workersToStart(
      { ...load, starting },
      {
        count,
        max: this.#account.max,
        usable,
        min: unaskedMs > 0 ? 0 : this.#limits.minWorkers,
        renew,
        isProbing: this.gate.isProbing,
      },
    );
  }

  /**
   * Workers of which nobody can say yet whether they have come up. One that is kept although nobody asks for it never
   * answers: its age has to tell, and somebody has to look again then.
   */
  #unproved(nowMs: number): number {
    const { count, healthyAtMs } = this.roster.unproved(nowMs);
    if (this.roster.usable < this.#limits.minWorkers) this.#planAlarm.arm(healthyAtMs);
    return count;
  }

  #load(nowMs: number): Load {
    return {
      queued: this.#owner.queued(),
      oldestWaitMs: this.#owner.oldestWaitMs(nowMs),
      asked: this.#asked.length,
      ...this.roster.load,
      concurrency: this.#concurrency,
      startMs: this.#durations.startMs,
      serviceMs: this.#durations.serviceMs,
    };
  }

  /** Whether one worker of the edition of now is to be started beside the outdated ones. */
  #mustRenew(nowMs: number): boolean {
    const { roster } = this;
    if (!roster.hasOutdated || roster.current > 0) return false;
    if (this.#asked.at(-1)?.stamp.edition === roster.edition) return false;
    // At the cap, one that is already being stopped makes room soon enough.
    if (this.#account.count >= this.#account.max && roster.stopping > 0) return false;
    if (this.gate.unaskedWaitMs(nowMs) > 0) return false;
    return nowMs - this.#owner.usedAtMs() <= LIMITS.poolRenewWindowMs;
  }

  #ask(slot: Slot): void {
    this.#asked.push(slot);
    this.gate.started();
    this.#owner.need();
  }

  /** A worker has its last request: its successor starts meanwhile, unless there is another one for the next request. */
  #replace(nowMs: number): void {
    const { starting } = this.roster.load;
    if (this.#asked.length + starting > 0 || this.roster.pick() !== undefined) return;
    if (!this.#owner.mayStart() || this.gate.waitMs(nowMs) > 0) return;
    const slot = this.#slots.take(this.#leaf, this.#stamp);
    if (slot !== undefined) this.#ask(slot);
  }

  #join(facts: SpawnedWorker, slot: Slot, isProved: boolean): Worker {
    const [nowMs, random] = [this.#clock.now(), this.#random()];
    const worker = new Worker({ facts, slot, nowMs, isProved, random });
    this.#concurrency = worker.concurrency;
    this.roster.add(worker);
    this.#slots.idle(slot);
    this.#idleTimeout.arm();
    return worker;
  }

  #apply(worker: Worker, event: WorkerEvent): void {
    const effects = this.roster.apply(worker, event);
    if (!worker.isIdle) this.#slots.busy(worker.slot);
    for (const effect of effects) {
      if (effect.kind === 'idle') this.#rest(worker);
      else if (effect.kind === 'gone') this.#slots.release(worker.slot);
      else {
        this.#slots.stopping(worker.slot);
        this.#owner.retire(worker.facts.worker, effect.reason);
      }
    }
  }

  /** The worker has nothing to do at this moment. */
  #rest(worker: Worker): void {
    const { slot } = worker;
    const claims = {
      isWanted: this.#owner.queued() > 0,
      isOutdated: this.roster.isOutdated(worker),
    };
    if (this.#slots.mustYield(slot, claims)) {
      this.retire(worker, claims.isOutdated ? this.#renewReason : 'surplus');
      return;
    }
    this.#slots.idle(slot);
    this.#idleTimeout.arm();
  }
}
