// Workers on which one request took too long while others go on: these have some time to end, then the worker is stopped all the same.
import { LIMITS } from '../limits.js';
import { Alarm } from './alarm.js';
import type { Clock } from './clock.js';
import type { Worker } from './worker.js';

export const GIVE_UP = { kind: 'deadline', reason: 'deadline' } as const;

export class GivenUp {
  readonly #clock: Clock;
  readonly #stop: (worker: Worker) => void;
  /** When each is stopped, in the order of time. Whoever has ended before is stopped in vain. */
  readonly #stopAtMs = new Map<Worker, number>();
  readonly #alarm: Alarm;

  constructor(clock: Clock, stop: (worker: Worker) => void) {
    this.#clock = clock;
    this.#stop = stop;
    this.#alarm = new Alarm(clock, () => this.#look());
  }

  /** The first time counts: a second slow request gives the others no more of it. */
  add(worker: Worker): void {
    if (this.#stopAtMs.has(worker)) return;
    const atMs = this.#clock.now() + LIMITS.workerOthersEndMs;
    this.#stopAtMs.set(worker, atMs);
    this.#alarm.arm(atMs);
  }

  disarm(): void {
    this.#alarm.disarm();
  }

  #look(): void {
    const nowMs = this.#clock.now();
    for (const [worker, atMs] of this.#stopAtMs) {
      if (atMs > nowMs) {
        this.#alarm.arm(atMs);
        return;
      }
      this.#stopAtMs.delete(worker);
      this.#stop(worker);
    }
  }
}
