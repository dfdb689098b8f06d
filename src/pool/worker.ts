// One worker as its pool sees it: its state, its counts and its slot. It decides nothing.
import { LIMITS } from '../limits.js';
import type { Slot } from './account.js';
import type { Crash } from './backoff.js';
import { ListNode } from './linked-list.js';
import type { SpawnedWorker, WorkerDescription, WorkerExit } from './pool-contract.js';
import {
  stepWorker,
  type WorkerEffect,
  type WorkerEvent,
  type WorkerState,
} from './worker-state.js';

export class Worker {
  readonly facts: SpawnedWorker;
  readonly slot: Slot;
  readonly concurrency: number;
  readonly bornMs: number;
  /** Its place among the free workers of its pool. */
  readonly place: ListNode<Worker>;
  /** It has answered once, in this life or before the router was restarted. */
  isProved: boolean;
  /** Its connection ended under a request. */
  hasDied = false;
  #isCrashTaken = false;
  idleSinceMs: number;
  served = 0;
  #assigned = 0;
  #state: WorkerState;
  /** Request-milliseconds since the last request ended, and up to when they are counted. */
  #workMs = 0;
  #workedUntilMs: number;
  /** The part of max_requests after which it goes. */
  readonly #spentShare: number;
  /** Its first request includes the start. */
  #isWarm: boolean;
  #firstAssignedMs = Infinity;

  constructor(options: {
    readonly facts: SpawnedWorker;
    readonly slot: Slot;
    readonly nowMs: number;
    readonly isProved: boolean;
    /** From 0 to 1, 1 excluded. */
    readonly random: number;
  }) {
    this.facts = options.facts;
    this.slot = options.slot;
    this.concurrency = Math.max(1, options.facts.concurrency);
    this.bornMs = options.nowMs;
    this.idleSinceMs = options.nowMs;
    this.#workedUntilMs = options.nowMs;
    this.isProved = options.isProved;
    this.#isWarm = options.isProved;
    this.#spentShare = 1 - LIMITS.maxRequestsSpreadShare * options.random;
    this.#state = { kind: options.isProved ? 'ready' : 'starting', inFlight: 0 };
    this.place = new ListNode<Worker>(this);
  }

  get state(): WorkerState {
    return this.#state;
  }

  get inFlight(): number {
    return 'inFlight' in this.#state ? this.#state.inFlight : 0;
  }

  /** It takes requests, or will if it has fewer. */
  get isUsable(): boolean {
    return this.#state.kind === 'starting' || this.#state.kind === 'ready';
  }

  get isIdle(): boolean {
    return this.isUsable && this.inFlight === 0;
  }

  /** It was given its last request; the limit of its application counts where it has none of its own. */
  isSpent(maxRequests: number): boolean {
    const max = this.facts.maxRequests > 0 ? this.facts.maxRequests : maxRequests;
    return max > 0 && this.#assigned >= Math.ceil(max * this.#spentShare);
  }

  wasHealthy(nowMs: number): boolean {
    return this.isProved || nowMs - this.bornMs >= LIMITS.workerHealthyAfterMs;
  }

  /**
   * That it died by itself, once: its request, which reads the end of its connection, and the supervisor, which reaps it,
   * tell of the same death, either of them first. Where it was the request, the worker is asked to stop, and its exit is
   * a wanted one.
   */
  takeCrash(phase: WorkerExit['phase'], nowMs: number): Omit<Crash, 'random'> | undefined {
    if (this.#isCrashTaken) return undefined;
    this.#isCrashTaken = true;
    const wasHealthy = phase === 'run' && this.wasHealthy(nowMs);
    return { nowMs, batch: this.slot.stamp.batch, wasHealthy };
  }

  step(event: WorkerEvent): readonly WorkerEffect[] {
    const { state, effects } = stepWorker(this.#state, event);
    this.#state = state;
    return effects;
  }

  /** Before a request is assigned. */
  noteAssigned(nowMs: number): void {
    this.#work(nowMs);
    this.#assigned += 1;
    this.#firstAssignedMs = Math.min(this.#firstAssignedMs, nowMs);
  }

  /**
   * Before a request ends: what it took, undefined where that is not known. With several requests at once it is the
   * work done since the last one ended, whose mean is the same.
   */
  noteEnded(nowMs: number): number | undefined {
    this.#work(nowMs);
    const sampleMs = this.#isWarm ? this.#workMs : undefined;
    this.#workMs = 0;
    this.#isWarm = this.isProved;
    this.served += 1;
    return sampleMs;
  }

  /** At its first answer: from the question for it to here, undefined if it sat unused in between. */
  startMs(nowMs: number): number | undefined {
    return this.#firstAssignedMs > this.bornMs ? undefined : nowMs - this.slot.takenAtMs;
  }

  describe(nowMs: number): WorkerDescription {
    return {
      worker: this.facts.worker,
      pid: this.facts.pid,
      state: this.#state.kind,
      requestsServed: this.served,
      inFlight: this.inFlight,
      ageMs: nowMs - this.bornMs,
    };
  }

  #work(nowMs: number): void {
    this.#workMs += this.inFlight * (nowMs - this.#workedUntilMs);
    this.#workedUntilMs = nowMs;
  }
}
