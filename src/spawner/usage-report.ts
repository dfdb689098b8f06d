// Tells the router what workers use and how the supervisor is: numbers only, one small message a worker, and not too often.
import type { MachineFigures } from '../ipc/index.js';
import { LIMITS } from '../limits.js';
import type { Mode } from '../privdrop/index.js';
import type { Operations } from './operations.js';
import type { UsageReader } from './usage.js';

export interface UsageReportParts {
  readonly operations: Operations;
  readonly usage: UsageReader;
  readonly mode: Mode;
  readonly hasCgroups: boolean;
  readonly startedAtMs: number;
  readonly now: () => number;
  readonly maxWorkers: () => number;
  readonly suspended: () => number;
}

const NO_USAGE = { rssBytes: 0, cpuPercent: 0 } as const;

export class UsageReport {
  readonly #parts: UsageReportParts;
  #toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: UsageReportParts) {
    this.#parts = parts;
  }

  /** A router that asks faster than it needs to gets no answer: reading /proc is root's time. */
  async tell(serial: number): Promise<void> {
    const { operations, usage, now } = this.#parts;
    if (now() - this.#toldAtMs < LIMITS.usageAnswerMs) return;
    this.#toldAtMs = now();
    const { workers, link } = operations;
    const usages = await usage.read(workers.running.map(({ process }) => process.programPid));
    for (const { process } of workers.running) {
      const { rssBytes, cpuPercent } = usages.get(process.programPid) ?? NO_USAGE;
      link.send({
        ...{ type: 'workerUsage', serial, worker: process.id },
        rssBytes: Math.round(rssBytes),
        cpuPermille: Math.max(0, Math.round(cpuPercent * 10)),
        ageMs: Math.max(0, Math.round(now() - process.startedAtMs)),
      });
    }
    link.send({ type: 'machine', serial, ...this.#machine() });
  }

  #machine(): MachineFigures {
    const { operations, mode, hasCgroups, now, startedAtMs } = this.#parts;
    const { admission, counters } = operations;
    const { crashed, lost, privilegeDropAlarms } = counters;
    return {
      uptimeMs: Math.round(now() - startedAtMs),
      ...{ mode, hasCgroups, crashed, lost, privilegeDropAlarms },
      maxWorkers: this.#parts.maxWorkers(),
      workers: admission.workerCount,
      launching: admission.launchingCount,
      waiting: admission.waitingCount,
      suspended: this.#parts.suspended(),
    };
  }
}
