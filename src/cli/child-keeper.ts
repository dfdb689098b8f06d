// Keeps one child process alive: starts it again, later and later, until it is told that the child is not wanted any more.
import { ExitCode } from '../errors.js';

/** A started child, as the keeper needs it; see child-process.ts. */
export interface Child {
  readonly pid: number | undefined;
  signal(name: NodeJS.Signals): void;
}

export interface ChildExit {
  readonly by: 'code' | 'signal';
  /** Exit code, or 0. */
  readonly code: number;
  /** Name of the signal, or ''. */
  readonly signal: string;
}

export interface KeeperOptions {
  /** Starts the child; `onExit` is called exactly once, never before `start` has returned. */
  start(onExit: (exit: ChildExit) => void): Child;
  /** Calls back later; returns what undoes it. */
  delay(ms: number, callback: () => void): () => void;
  nowMs(): number;
  /** The child asked not to be started again: nothing that we could do would help. */
  onPermanent(): void;
  /** For the log. */
  onExit(exit: ChildExit, restartInMs: number | undefined): void;
}

const RESTART_MIN_MS = 100;
const RESTART_MAX_MS = 5_000;
/** A child that lived this long starts again as quickly as the first time. */
const HEALTHY_AFTER_MS = 10_000;

type Actual =
  | { readonly kind: 'running'; readonly child: Child; readonly sinceMs: number }
  | { readonly kind: 'waiting'; readonly cancel: () => void }
  | { readonly kind: 'gone' };

/** Wanted and actual apart, as in s6: every event looks at both. */
export class ChildKeeper {
  readonly #options: KeeperOptions;
  #wanted: 'up' | 'down' = 'down';
  #actual: Actual = { kind: 'gone' };
  #restartMs = RESTART_MIN_MS;
  #resolveGone: (() => void)[] = [];

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  /** The child's pid; undefined while there is none. */
  get pid(): number | undefined {
    return this.#actual.kind === 'running' ? this.#actual.child.pid : undefined;
  }

  start(): void {
    this.#wanted = 'up';
    if (this.#actual.kind === 'gone') this.#spawn();
  }

  /** Passes a signal on, if there is a child. */
  signal(name: NodeJS.Signals): void {
    if (this.#actual.kind === 'running') this.#actual.child.signal(name);
  }

  /** Terminates the child and does not start it again; resolves when it is gone. */
  async terminate(): Promise<void> {
    this.#wanted = 'down';
    if (this.#actual.kind === 'waiting') {
      this.#actual.cancel();
      this.#actual = { kind: 'gone' };
    }
    if (this.#actual.kind === 'gone') return;
    const gone = new Promise<void>((resolve) => this.#resolveGone.push(resolve));
    this.signal('SIGTERM');
    await gone;
  }

  #spawn(): void {
    const sinceMs = this.#options.nowMs();
    const child = this.#options.start((exit) => this.#exited(exit));
    this.#actual = { kind: 'running', child, sinceMs };
  }

  #exited(exit: ChildExit): void {
    const livedMs = this.#livedMs();
    this.#actual = { kind: 'gone' };
    for (const resolve of this.#resolveGone.splice(0)) resolve();
    const isPermanent = exit.by === 'code' && exit.code === ExitCode.PERMANENT;
    if (this.#wanted === 'up' && !isPermanent) {
      this.#restartLater(exit, livedMs);
      return;
    }
    const wasWanted = this.#wanted === 'up';
    this.#wanted = 'down';
    this.#options.onExit(exit, undefined);
    if (wasWanted) this.#options.onPermanent();
  }

  #restartLater(exit: ChildExit, livedMs: number): void {
    if (livedMs >= HEALTHY_AFTER_MS) this.#restartMs = RESTART_MIN_MS;
    const waitMs = this.#restartMs;
    this.#restartMs = Math.min(RESTART_MAX_MS, waitMs * 2);
    this.#actual = { kind: 'waiting', cancel: this.#options.delay(waitMs, () => this.#spawn()) };
    this.#options.onExit(exit, waitMs);
  }

  #livedMs(): number {
    return this.#actual.kind === 'running' ? this.#options.nowMs() - this.#actual.sinceMs : 0;
  }
}
