// Which worker a request gets while an older edition serves: the first to try a new one is one that can be given to another.
import { LIMITS } from '../limits.js';
import type { Roster } from './roster.js';
import type { Worker } from './worker.js';
import type { WorkersOwner } from './workers-owner.js';

export class Trust {
  readonly #roster: Roster;
  readonly #owner: Pick<WorkersOwner, 'oldestWaitMs'>;
  readonly #queueTimeoutMs: () => number;

  constructor(
    roster: Roster,
    owner: Pick<WorkersOwner, 'oldestWaitMs'>,
    queueTimeoutMs: () => number,
  ) {
    this.#roster = roster;
    this.#owner = owner;
    this.#queueTimeoutMs = queueTimeoutMs;
  }

  /** @param mayProve if the worker dies of the request, that can be given to another one */
  pick(mayProve: boolean, nowMs: number): Worker | undefined {
    if (mayProve || !this.#roster.hasOutdated) return this.#roster.pick();
    return this.#roster.pickTrusted((worker) => this.#trustedAtMs(worker, nowMs) <= nowMs);
  }

  /** When some free worker may have requests of either kind that may not have them now; Infinity if none will. */
  nextAtMs(nowMs: number): number {
    if (!this.#roster.hasOutdated) return Infinity;
    const worker = this.#roster.oldestUntrusted((one) => this.#trustedAtMs(one, nowMs) <= nowMs);
    return worker === undefined ? Infinity : this.#trustedAtMs(worker, nowMs);
  }

  /**
   * So old a worker may have any request, although it has not answered and an older edition serves: if only such requests
   * come, the new edition would never take over. One that finds the others busy waits in the queue meanwhile; so this comes
   * long before its time there is over, even if it has waited there before the worker came.
   */
  #trustedAtMs({ bornMs }: Worker, nowMs: number): number {
    const timeoutMs = this.#queueTimeoutMs();
    const grownAtMs = bornMs + Math.min(LIMITS.workerHealthyAfterMs, timeoutMs / 2);
    const oldestSinceMs = nowMs - this.#owner.oldestWaitMs(nowMs);
    return Math.min(grownAtMs, oldestSinceMs + (timeoutMs * 3) / 4);
  }
}
