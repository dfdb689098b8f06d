// Keeps supervisor and router running together, and stops them in the right order within a bound.
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { ExitCode } from '../errors.js';
import type { Logger } from '../log.js';
import { ChildKeeper, type ChildExit } from './child-keeper.js';
import { startChild } from './child-process.js';
import { nodeEnvironment, type ServiceName } from './node-flags.js';

/** The whole shutdown; then what is left is killed. */
const SHUTDOWN_DEADLINE_MS = 30_000;
/** Of that, how long the router may let requests end while their workers still live. */
const DRAIN_DEADLINE_MS = 20_000;

export type Argvs = Readonly<Record<ServiceName, readonly string[]>>;

/** Two keepers under one roof. */
export class Init {
  readonly #log: Logger;
  readonly #supervisor: ChildKeeper;
  readonly #router: ChildKeeper;
  readonly #stop = new AbortController();
  #exitCode: number = ExitCode.OK;

  constructor(argvs: Argvs, log: Logger) {
    this.#log = log;
    this.#supervisor = this.#keeper('supervisor', argvs.supervisor);
    this.#router = this.#keeper('router', argvs.router);
  }

  /** Runs until stop() or until a child says that it cannot; resolves to the exit code. */
  async run(): Promise<number> {
    this.#supervisor.start();
    this.#router.start();
    if (!this.#stop.signal.aborted) await once(this.#stop.signal, 'abort');
    await this.#shutDown();
    return this.#exitCode;
  }

  stop(): void {
    this.#stop.abort();
  }

  reload(): void {
    this.#supervisor.signal('SIGHUP');
  }

  /** The router first: its requests need the workers, which end with the supervisor. */
  async #shutDown(): Promise<void> {
    this.#log.info('stopping');
    const kill = setTimeout(() => {
      this.#log.error({ deadlineMs: SHUTDOWN_DEADLINE_MS }, 'not stopped in time: killing');
      this.#router.signal('SIGKILL');
      this.#supervisor.signal('SIGKILL');
    }, SHUTDOWN_DEADLINE_MS);
    const router = this.#router.terminate();
    await Promise.race([router, timeout(DRAIN_DEADLINE_MS)]);
    await Promise.all([router, this.#supervisor.terminate()]);
    clearTimeout(kill);
  }

  #keeper(name: ServiceName, argv: readonly string[]): ChildKeeper {
    return new ChildKeeper({
      start: (onExit) => startChild(argv, onExit, nodeEnvironment(name)),
      nowMs: () => performance.now(),
      delay(ms, callback) {
        const timer = setTimeout(callback, ms);
        return () => clearTimeout(timer);
      },
      onPermanent: () => {
        this.#exitCode = ExitCode.PERMANENT;
        this.stop();
      },
      onExit: (exit, restartInMs) => this.#logExit(name, exit, restartInMs),
    });
  }

  #logExit(service: ServiceName, exit: ChildExit, restartInMs: number | undefined): void {
    const level = this.#stop.signal.aborted ? 'info' : 'error';
    this.#log[level]({ service, exit, restartInMs }, 'child exited');
  }
}

/** Does not keep the process alive. */
const timeout = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
