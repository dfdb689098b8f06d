// The workers of one pool, sorted by what they can take, and which edition of the application each one runs.
//
// An edition is what the files were when a worker was asked for. After a graceful restart the workers of older
// editions are outdated, but go on until one of a newer edition has answered.
import { LIMITS } from '../limits.js';
import type { Slot } from './account.js';
import { LinkedList } from './linked-list.js';
import type { Load } from './pool-policy.js';
import type { Worker } from './worker.js';
import type { WorkerEffect, WorkerEvent } from './worker-state.js';

/** To have come up, if it was going to. */
type OldEnough = (worker: Worker) => boolean;

export class Roster {
  readonly #workers = new Map<Slot, Worker>();
  /** The idle are in the order of becoming idle; the last is taken first, so that the first ones can go. */
  readonly #idleReady = new LinkedList<Worker>();
  readonly #partReady = new LinkedList<Worker>();
  readonly #idleStarting = new LinkedList<Worker>();
  readonly #partStarting = new LinkedList<Worker>();
  #edition = 0;
  // Sums over #workers, written in #count only.
  #starting = 0;
  #startingFree = 0;
  #ready = 0;
  #busy = 0;
  #stopping = 0;
  #current = 0;

  /** All that have not exited. */
  get size(): number {
    return this.#workers.size;
  }

  get edition(): number {
    return this.#edition;
  }

  /** Those that take requests, or will. */
  get usable(): number {
    return this.#starting + this.#ready;
  }

  get ready(): number {
    return this.#ready;
  }

  get stopping(): number {
    return this.#stopping;
  }

  /** Usable ones of the edition of now. */
  get current(): number {
    return this.#current;
  }

  get hasOutdated(): boolean {
    return this.usable > this.#current;
  }

  get load(): Pick<Load, 'starting' | 'startingFree' | 'busy'> {
    return { starting: this.#starting, startingFree: this.#startingFree, busy: this.#busy };
  }

  [Symbol.iterator](): Iterator<Worker> {
    return this.#workers.values();
  }

  at(slot: Slot): Worker | undefined {
    return this.#workers.get(slot);
  }

  isOutdated(worker: Worker): boolean {
    return worker.slot.stamp.edition < this.#edition;
  }

  /** Those of an older edition. */
  olderThan({ slot: { stamp } }: Worker): readonly Worker[] {
    if (!this.hasOutdated) return [];
    return [...this].filter(({ slot }) => slot.stamp.edition < stamp.edition);
  }

  add(worker: Worker): void {
    this.#workers.set(worker.slot, worker);
    this.#count(worker, 1);
    this.#sort(worker);
  }

  /** Those that have neither answered nor lived long enough yet, and when the first of them has. */
  unproved(nowMs: number): { readonly count: number; readonly healthyAtMs: number } {
    const healthyAtMs = Array.from(this, ({ state, bornMs }) =>
      state.kind === 'starting' ? bornMs + LIMITS.workerHealthyAfterMs : -Infinity,
    ).filter((atMs) => atMs > nowMs);
    return { count: healthyAtMs.length, healthyAtMs: Math.min(...healthyAtMs) };
  }

  /** The only place where a worker changes its state. */
  apply(worker: Worker, event: WorkerEvent): readonly WorkerEffect[] {
    this.#count(worker, -1);
    const effects = worker.step(event);
    this.#count(worker, 1);
    this.#sort(worker);
    if (worker.state.kind === 'exited') this.#workers.delete(worker.slot);
    return effects;
  }

  /** From now on every worker is outdated. */
  renew(): void {
    this.#edition += 1;
    this.#current = 0;
  }

  /** The worker for the next request; undefined if every one has as many as it takes. */
  pick(): Worker | undefined {
    return (
      this.#pickNewcomer() ??
      this.#idleReady.last ??
      this.#partReady.first ??
      this.#idleStarting.last ??
      this.#partStarting.first
    );
  }

  /**
   * The same for a request that must not find out whether a worker of a newer edition than one that serves comes up. As
   * soon as one of those is old enough it is the first, because somebody has to be, if all requests are of this kind.
   */
  pickTrusted(isOldEnough: OldEnough): Worker | undefined {
    const newcomer = this.#pickNewcomer();
    if (newcomer !== undefined && isOldEnough(newcomer)) return newcomer;
    const proved = this.#idleReady.last ?? this.#partReady.first;
    if (proved !== undefined) return proved;
    const servingEdition = this.#servingEdition();
    for (const worker of this.#freeStarting()) {
      if (worker.slot.stamp.edition <= servingEdition || isOldEnough(worker)) return worker;
    }
    return undefined;
  }

  /** Of the free ones that such a request must not have, the one born first. */
  oldestUntrusted(isOldEnough: OldEnough): Worker | undefined {
    const servingEdition = this.#servingEdition();
    let oldest: Worker | undefined;
    for (const worker of this.#freeStarting()) {
      if (worker.slot.stamp.edition <= servingEdition || isOldEnough(worker)) continue;
      if (oldest === undefined || worker.bornMs < oldest.bornMs) oldest = worker;
    }
    return oldest;
  }

  get longestIdle(): Worker | undefined {
    const ready = this.#idleReady.first;
    const starting = this.#idleStarting.first;
    if (ready === undefined || starting === undefined) return ready ?? starting;
    return ready.idleSinceMs <= starting.idleSinceMs ? ready : starting;
  }

  /** As long as others are outdated, one request finds out whether the new edition comes up. */
  #pickNewcomer(): Worker | undefined {
    if (!this.hasOutdated) return undefined;
    const worker = this.#idleStarting.last;
    return worker !== undefined && !this.isOutdated(worker) ? worker : undefined;
  }

  /** The oldest edition of those that have answered and go on, however busy they are. */
  #servingEdition(): number {
    let edition = Infinity;
    for (const { state, slot } of this) {
      if (state.kind === 'ready') edition = Math.min(edition, slot.stamp.edition);
    }
    return edition;
  }

  *#freeStarting(): Generator<Worker> {
    yield* this.#idleStarting;
    yield* this.#partStarting;
  }

  #count(worker: Worker, sign: 1 | -1): void {
    const { state } = worker;
    if (state.kind === 'starting') {
      this.#starting += sign;
      this.#startingFree += sign * (worker.concurrency - state.inFlight);
    } else if (state.kind === 'ready') {
      this.#ready += sign;
      this.#busy += sign * state.inFlight;
    } else if (state.kind === 'stopping') {
      this.#stopping += sign;
    }
    if (worker.isUsable && !this.isOutdated(worker)) this.#current += sign;
  }

  #sort(worker: Worker): void {
    const list = this.#listOf(worker);
    if (list === worker.place.list) return;
    if (list === undefined) worker.place.list?.remove(worker.place);
    else list.append(worker.place);
  }

  #listOf(worker: Worker): LinkedList<Worker> | undefined {
    const { state } = worker;
    if (state.kind !== 'starting' && state.kind !== 'ready') return undefined;
    if (state.inFlight >= worker.concurrency) return undefined;
    if (state.kind === 'ready') return state.inFlight === 0 ? this.#idleReady : this.#partReady;
    return state.inFlight === 0 ? this.#idleStarting : this.#partStarting;
  }
}
