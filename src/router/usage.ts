// What the supervisor knows of memory, processor time and itself: asked for when somebody looks, never more often than it answers.
import type { MachineFigures, RouterMessage, SupervisorMessage } from '../ipc/index.js';
import { LIMITS } from '../limits.js';

type Of<T extends SupervisorMessage['type']> = Extract<SupervisorMessage, { type: T }>;

export interface WorkerUsage {
  readonly rssBytes: number;
  readonly cpuPermille: number;
  readonly ageMs: number;
}

export interface Usage {
  readonly workers: ReadonlyMap<string, WorkerUsage>;
  /** Undefined while the supervisor is away. */
  readonly machine: MachineFigures | undefined;
}

export const NO_USAGE: Usage = { workers: new Map(), machine: undefined };

export class UsageDesk {
  readonly #send: (message: RouterMessage) => boolean;
  #serial = 0;
  #rows = new Map<string, WorkerUsage>();
  #known = NO_USAGE;
  #knownAtMs = Number.NEGATIVE_INFINITY;
  #underWay: Promise<Usage> | undefined;
  #settle: ((usage: Usage) => void) | undefined;

  constructor(send: (message: RouterMessage) => boolean) {
    this.#send = send;
  }

  /** What is known, asked anew if that is old. Nothing if the supervisor does not answer in time. */
  ask(): Promise<Usage> {
    if (performance.now() - this.#knownAtMs < LIMITS.usageKeptMs) {
      return Promise.resolve(this.#known);
    }
    this.#underWay ??= this.#ask().finally(() => (this.#underWay = undefined));
    return this.#underWay;
  }

  row({ serial, worker, rssBytes, cpuPermille, ageMs }: Of<'workerUsage'>): void {
    if (serial !== this.#serial || this.#rows.size >= LIMITS.appsMaxCount) return;
    this.#rows.set(worker, { rssBytes, cpuPermille, ageMs });
  }

  end(machine: Of<'machine'>): void {
    if (machine.serial === this.#serial) this.#settle?.({ workers: this.#rows, machine });
  }

  #ask(): Promise<Usage> {
    return new Promise((resolve) => {
      this.#serial += 1;
      this.#rows = new Map();
      const settle = (usage: Usage): void => {
        clearTimeout(deadline);
        this.#settle = undefined;
        this.#known = usage;
        this.#knownAtMs = performance.now();
        resolve(usage);
      };
      const deadline = setTimeout(() => settle(NO_USAGE), LIMITS.usageDeadlineMs);
      this.#settle = settle;
      if (!this.#send({ type: 'usage', serial: this.#serial })) settle(NO_USAGE);
    });
  }
}
