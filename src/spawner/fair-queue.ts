// Whose turn it is to be launched or looked at: first come first served within a user, turn about between users; pure.

export interface FairQueueBounds {
  /** Waiting, all users together. */
  readonly waitingMaxCount: number;
  /** Taken and not yet done, all users together. */
  readonly activeMaxCount: number;
  /** Taken and not yet done, of one user: who stops his own launches must leave places to others. */
  readonly activePerUserMaxCount: number;
}

export class FairQueue<T> {
  readonly #bounds: FairQueueBounds;
  /** In the order in which users have their turn; a user without waiting items is not in it. */
  readonly #waiting = new Map<string, T[]>();
  readonly #active = new Map<string, number>();
  #waitingCount = 0;
  #activeCount = 0;

  constructor(bounds: FairQueueBounds) {
    this.#bounds = bounds;
  }

  get waitingCount(): number {
    return this.#waitingCount;
  }

  get activeCount(): number {
    return this.#activeCount;
  }

  /** False if the queue is full. */
  push(user: string, item: T): boolean {
    if (this.#waitingCount >= this.#bounds.waitingMaxCount) return false;
    const own = this.#waiting.get(user);
    if (own === undefined) this.#waiting.set(user, [item]);
    else own.push(item);
    this.#waitingCount += 1;
    return true;
  }

  /** The next item, or undefined if nobody waits or nobody who waits may go. Every item taken needs its `done`. */
  take(): T | undefined {
    if (this.#activeCount >= this.#bounds.activeMaxCount) return undefined;
    for (const [user, own] of this.#waiting) {
      const active = this.#active.get(user) ?? 0;
      if (active >= this.#bounds.activePerUserMaxCount) continue;
      const item = own.shift();
      this.#waiting.delete(user);
      if (own.length > 0) this.#waiting.set(user, own);
      this.#waitingCount -= 1;
      this.#activeCount += 1;
      this.#active.set(user, active + 1);
      return item;
    }
    return undefined;
  }

  done(user: string): void {
    const active = (this.#active.get(user) ?? 0) - 1;
    if (active > 0) this.#active.set(user, active);
    else this.#active.delete(user);
    this.#activeCount -= 1;
  }

  /** Gives back everything that waits. */
  empty(): T[] {
    const items = [...this.#waiting.values()].flat();
    this.#waiting.clear();
    this.#waitingCount = 0;
    return items;
  }
}
