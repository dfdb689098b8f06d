// Which application a virtual host's link leads to, as the supervisor tells it: the router sees no link itself.

export class HostTable {
  readonly #targets = new Map<string, string>();
  /** Told since the supervisor came back; undefined once it has told all. Until then the old ones still hold. */
  #told: Set<string> | undefined;

  /** Lives on while its content changes. What one supervisor may tell is bounded (vhostsMaxBytes). */
  get targets(): ReadonlyMap<string, string> {
    return this.#targets;
  }

  begin(): void {
    this.#told = new Set();
  }

  set(host: string, directory: string): void {
    if (directory === '') this.#targets.delete(host);
    else this.#targets.set(host, directory);
    this.#told?.add(host);
  }

  settle(): void {
    const told = this.#told ?? new Set();
    for (const host of this.#targets.keys()) if (!told.has(host)) this.#targets.delete(host);
    this.#told = undefined;
  }
}
