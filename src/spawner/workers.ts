// Every worker process of this supervisor, from spawn to end, and what is known of those that run.
import type { Blueprint, DescribeInput } from './blueprint.js';
import type { WorkerProcess } from './worker-process.js';

/** A worker that the router was told about, or will be when it connects. */
export interface RunningWorker {
  readonly process: WorkerProcess;
  readonly blueprint: Blueprint;
  /** What the launcher saw: after a reload of the configuration it shows whether anything would be different. */
  readonly input: DescribeInput;
}

export class Workers {
  readonly #processes = new Map<string, WorkerProcess>();
  readonly #running = new Map<string, RunningWorker>();
  /** Ids of those that were asked to end and had done nothing wrong. */
  readonly #excused = new Set<string>();
  readonly #waiting: (() => void)[] = [];

  add(process: WorkerProcess): void {
    this.#processes.set(process.id, process);
  }

  ran(worker: RunningWorker): void {
    this.#running.set(worker.process.id, worker);
  }

  /** Whoever replaces it is no storm. */
  excuse(id: string): void {
    if (this.#running.has(id)) this.#excused.add(id);
  }

  isExcused(id: string): boolean {
    return this.#excused.has(id);
  }

  /** Gives back what was known of it if it ever ran. */
  remove(process: WorkerProcess): RunningWorker | undefined {
    const worker = this.#running.get(process.id);
    this.#running.delete(process.id);
    this.#excused.delete(process.id);
    this.#processes.delete(process.id);
    if (this.#processes.size === 0) for (const settle of this.#waiting.splice(0)) settle();
    return worker;
  }

  find(id: string): RunningWorker | undefined {
    return this.#running.get(id);
  }

  get processes(): readonly WorkerProcess[] {
    return [...this.#processes.values()];
  }

  get running(): readonly RunningWorker[] {
    return [...this.#running.values()];
  }

  /** Settles when the last process is gone or lost. */
  whenEmpty(): Promise<void> {
    if (this.#processes.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  ofApp(app: string): readonly RunningWorker[] {
    return this.running.filter(({ process }) => process.owner.app === app);
  }

  ofUser(user: string): readonly RunningWorker[] {
    return this.running.filter(({ process }) => process.owner.user === user);
  }
}
