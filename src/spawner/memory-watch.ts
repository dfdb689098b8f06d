// Looks, now and then, how much memory workers hold, and tells the router which of them is to be replaced after its request.
import { LIMITS } from '../limits.js';
import type { RunningWorker } from './workers.js';

export interface MemoryWatchParts {
  readonly running: () => readonly RunningWorker[];
  /** Resident memory by pid; those that just ended are missing. */
  readonly read: (
    pids: readonly number[],
  ) => Promise<ReadonlyMap<number, { readonly rssBytes: number }>>;
  readonly onGrown: (worker: RunningWorker, rssBytes: number) => void;
}

const limitOf = ({ blueprint }: RunningWorker): number => blueprint.facts.limits.recycleMemoryBytes;

export class MemoryWatch {
  readonly #parts: MemoryWatchParts;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: MemoryWatchParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#timer = setInterval(() => void this.look(), LIMITS.memoryCheckIntervalMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Costs nothing where no application has such a limit. A router that was away hears of it the next time. */
  async look(): Promise<void> {
    const running = this.#parts.running();
    if (!running.some((worker) => limitOf(worker) > 0)) return;
    const usages = await this.#parts.read(running.map(({ process }) => process.programPid));
    for (const worker of running) {
      const rssBytes = usages.get(worker.process.programPid)?.rssBytes ?? 0;
      const limitBytes = limitOf(worker);
      if (limitBytes > 0 && rssBytes > limitBytes && worker.process.isRunning) {
        this.#parts.onGrown(worker, rssBytes);
      }
    }
  }
}
