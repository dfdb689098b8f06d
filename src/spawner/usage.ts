// Memory and processor time of workers, as /proc shows them. Nothing stays open between two looks.
import { setImmediate as turn } from 'node:timers/promises';
import { LIMITS } from '../limits.js';
import { figuresOf, type ProcessFigures } from './process-files.js';

export interface Usage {
  readonly rssBytes: number;
  /** Of one processor, since the look before; at the first look since its start. */
  readonly cpuPercent: number;
}

export class UsageReader {
  readonly #now: () => number;
  #readAtMs = Number.NEGATIVE_INFINITY;
  #usages: ReadonlyMap<number, Usage> = new Map();
  /** Of those who were there at the last look, and of nobody else. */
  #looks: ReadonlyMap<number, ProcessFigures> = new Map();
  #reading: Promise<ReadonlyMap<number, Usage>> | undefined;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Only pids of unreaped children, so that none of them means somebody else. Missing are those that just ended. */
  async read(pids: readonly number[]): Promise<ReadonlyMap<number, Usage>> {
    if (this.#now() - this.#readAtMs < LIMITS.usageMaxAgeMs || pids.length === 0)
      return this.#usages;
    this.#reading ??= this.#readNow(pids).finally(() => (this.#reading = undefined));
    return await this.#reading;
  }

  async #readNow(pids: readonly number[]): Promise<ReadonlyMap<number, Usage>> {
    const usages = new Map<number, Usage>();
    const looks = new Map<number, ProcessFigures>();
    for (const [index, pid] of pids.entries()) {
      if (index % LIMITS.usageReadsPerTurnCount === LIMITS.usageReadsPerTurnCount - 1) await turn();
      const look = figuresOf(pid);
      if (look === undefined) continue;
      looks.set(pid, look);
      const cpuPercent = percentOf(look, this.#looks.get(pid));
      usages.set(pid, { rssBytes: look.rssBytes, cpuPercent });
    }
    this.#looks = looks;
    this.#usages = usages;
    this.#readAtMs = this.#now();
    return usages;
  }
}

function percentOf(look: ProcessFigures, before: ProcessFigures | undefined): number {
  const isSame = before !== undefined && before.ageMs <= look.ageMs; // not a pid that is used again
  const usedMs = look.cpuMs - (isSame ? before.cpuMs : 0);
  const passedMs = look.ageMs - (isSame ? before.ageMs : 0);
  return passedMs > 0 ? Math.max(0, (100 * usedMs) / passedMs) : 0;
}
