// So much of something for each user; who has nothing of it is not remembered.

export class Shares {
  readonly #counts = new Map<string, number>();

  of(user: string): number {
    return this.#counts.get(user) ?? 0;
  }

  add(user: string, change: number): void {
    const count = this.of(user) + change;
    if (count === 0) this.#counts.delete(user);
    else this.#counts.set(user, count);
  }
}
