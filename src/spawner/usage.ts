// Memory and CPU of workers, by the only importer of pidusage.
import pidusage from 'pidusage';
import { LIMITS } from '../limits.js';

export interface Usage {
  readonly rssBytes: number;
  readonly cpuPercent: number;
}

export class UsageReader {
  readonly #now: () => number;
  #readAtMs = Number.NEGATIVE_INFINITY;
  #usages: ReadonlyMap<number, Usage> = new Map();
  #reading: Promise<ReadonlyMap<number, Usage>> | undefined;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** pidusage asks getconf(1) for the page size, once and through a shell: better now than when tenants run. */
  async warmUp(): Promise<void> {
    await this.read([process.pid]);
    this.#readAtMs = Number.NEGATIVE_INFINITY;
  }

  /** Only pids of unreaped children, so that none of them means somebody else. Missing are those that just ended. */
  async read(pids: readonly number[]): Promise<ReadonlyMap<number, Usage>> {
    if (this.#now() - this.#readAtMs < LIMITS.usageMaxAgeMs || pids.length === 0)
      return this.#usages;
    this.#reading ??= this.#readNow(pids).finally(() => (this.#reading = undefined));
    return await this.#reading;
  }

  async #readNow(pids: readonly number[]): Promise<ReadonlyMap<number, Usage>> {
    const found = await pidusage([...pids], { maxage: LIMITS.usageHistoryMs }).catch(() => ({}));
    const usages = new Map<number, Usage>();
    for (const pid of pids) {
      // Its type does not say so, but a pid that ended has no row, or null for one.
      const row = (found as Record<string, pidusage.Status | null | undefined>)[String(pid)];
      if (row !== undefined && row !== null)
        usages.set(pid, { rssBytes: row.memory, cpuPercent: row.cpu });
    }
    this.#usages = usages;
    this.#readAtMs = this.#now();
    return usages;
  }
}
