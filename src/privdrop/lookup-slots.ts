// How many lookups run at once; the rest wait in order, and not for ever.

type Turn = () => void;

export class LookupSlots {
  readonly #runningMaxCount: number;
  readonly #waitingMaxCount: number;
  readonly #waiting = new Set<Turn>();
  #running = 0;

  constructor(runningMaxCount: number, waitingMaxCount: number) {
    this.#runningMaxCount = runningMaxCount;
    this.#waitingMaxCount = waitingMaxCount;
  }

  /** True when it is one's turn (then call leave()); false if the queue is full or the deadline came first. */
  enter(signal: AbortSignal): Promise<boolean> {
    if (this.#running < this.#runningMaxCount) {
      this.#running += 1;
      return Promise.resolve(true);
    }
    if (this.#waiting.size >= this.#waitingMaxCount || signal.aborted)
      return Promise.resolve(false);
    return new Promise((resolve) => {
      const giveUp = (): void => {
        this.#waiting.delete(turn);
        resolve(false);
      };
      const turn: Turn = () => {
        signal.removeEventListener('abort', giveUp);
        resolve(true);
      };
      signal.addEventListener('abort', giveUp, { once: true });
      this.#waiting.add(turn);
    });
  }

  leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#running -= 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
