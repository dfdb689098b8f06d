// Retires the workers of one pool that were unused for idle_timeout, exactly then, with one timer for the longest idle.
import { Alarm } from './alarm.js';
import type { Clock } from './clock.js';
import type { PoolLimits } from './pool-contract.js';
import type { Roster } from './roster.js';
import type { Worker } from './worker.js';

type IdleLimits = Pick<PoolLimits, 'idleTimeoutMs' | 'minWorkers'>;

export interface IdleTimeoutOptions {
  readonly roster: Roster;
  readonly clock: Clock;
  readonly limits: IdleLimits;
  readonly retire: (worker: Worker) => void;
}

export class IdleTimeout {
  readonly #roster: Roster;
  readonly #clock: Clock;
  readonly #retire: (worker: Worker) => void;
  readonly #alarm: Alarm;
  #limits: IdleLimits;

  constructor(options: IdleTimeoutOptions) {
    this.#roster = options.roster;
    this.#clock = options.clock;
    this.#retire = options.retire;
    this.#limits = options.limits;
    this.#alarm = new Alarm(options.clock, () => this.#retireDue());
  }

  configure(limits: IdleLimits): void {
    this.#limits = limits;
    this.#alarm.disarm();
    this.arm();
  }

  /** After a worker became idle. */
  arm(): void {
    const worker = this.#candidate;
    if (worker !== undefined) this.#alarm.arm(worker.idleSinceMs + this.#limits.idleTimeoutMs);
  }

  disarm(): void {
    this.#alarm.disarm();
  }

  /** The next to go, now or later; undefined if all are busy or to be kept. */
  get #candidate(): Worker | undefined {
    return this.#roster.usable > this.#limits.minWorkers ? this.#roster.longestIdle : undefined;
  }

  #retireDue(): void {
    const nowMs = this.#clock.now();
    for (;;) {
      const worker = this.#candidate;
      if (worker === undefined) return;
      if (worker.idleSinceMs + this.#limits.idleTimeoutMs > nowMs) break;
      this.#retire(worker);
    }
    this.arm();
  }
}
