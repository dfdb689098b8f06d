// One worker process with everything that is root's and has to go when it goes: socket name, cgroup, deadlines.
import type { ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import type { CgroupLeaf } from './cgroup.js';
import type { AppGroupLimits } from './cgroup-limits.js';
import { programBehindWalls, signalOf } from './behind-walls.js';
import type { WorkerMark } from './marks.js';
import {
  stepWorker,
  type WorkerEffect,
  type WorkerEvent,
  type WorkerExit,
  type WorkerState,
} from './worker-state.js';

export interface WorkerOwner {
  readonly user: string;
  /** `user/app`. */
  readonly app: string;
  readonly uid: number;
  readonly gid: number;
}

export interface WorkerParts {
  readonly id: string;
  readonly owner: WorkerOwner;
  /** Started, so it has a pid. */
  readonly child: ChildProcess;
  /** Undefined for a process that serves nothing. */
  readonly socketPath: string | undefined;
  readonly leaf: CgroupLeaf | undefined;
  readonly mark: WorkerMark | undefined;
  readonly startedAtMs: number;
  /** Once, when it is gone or given up as lost. */
  readonly onEnd: (worker: WorkerProcess, exit: WorkerExit, wanted: boolean) => void;
}

export class WorkerProcess {
  readonly id: string;
  readonly owner: WorkerOwner;
  readonly pid: number;
  readonly startedAtMs: number;
  readonly #parts: WorkerParts;
  #state: WorkerState = { kind: 'launching' };
  #timer: NodeJS.Timeout | undefined;
  #isReaped = false;
  /** Then the process that we know is bubblewrap, which ends as the program does. */
  #isIsolated = false;
  #released: Promise<void> | undefined;
  #swept: Promise<void> | undefined;

  constructor(parts: WorkerParts) {
    this.id = parts.id;
    this.owner = parts.owner;
    this.pid = parts.child.pid ?? 0;
    if (this.pid <= 1) throw new Error('a worker without a process');
    this.startedAtMs = parts.startedAtMs;
    this.#parts = parts;
    parts.child.once('exit', (code, signal) => {
      this.#isReaped = true;
      this.#step({ kind: 'exit', exit: this.#exitOf(code, signal) });
    });
  }

  get state(): WorkerState['kind'] {
    return this.#state.kind;
  }

  get isRunning(): boolean {
    return this.#state.kind === 'running';
  }

  /** Once it is gone: settles when socket and cgroup are given back. */
  get released(): Promise<void> {
    return this.#released ?? Promise.resolve();
  }

  /** The one whose memory and time count. */
  get programPid(): number {
    return this.#isIsolated ? programBehindWalls(this.pid) : this.pid;
  }

  started(isIsolated = false): void {
    this.#isIsolated = isIsolated;
    this.#step({ kind: 'started' });
  }

  terminate(signal: NodeJS.Signals, graceMs: number): void {
    this.#step({ kind: 'terminate', signal, graceMs });
  }

  kill(): void {
    this.#step({ kind: 'kill' });
  }

  /** False if it is not in its cgroup afterwards; true where there are no cgroups. */
  enterCgroup(): boolean {
    return this.#parts.leaf?.add(this.pid) ?? true;
  }

  /** False if what the application asks of itself does not hold. */
  limit(limits: AppGroupLimits): boolean {
    return this.#parts.leaf?.limit(limits) ?? true;
  }

  /** Asked before the group goes, and only of who was killed by somebody else. */
  #exitOf(code: number | null, direct: NodeJS.Signals | null): WorkerExit {
    const signal = direct ?? (this.#isIsolated ? signalOf(code ?? 0) : null);
    if (signal === null) return { by: 'code', code: code ?? 0 };
    const isKilledByUs = this.#state.kind === 'killing';
    const isMemory = signal === 'SIGKILL' && !isKilledByUs && this.#parts.leaf?.hasRunOutOfMemory;
    return isMemory === true ? { by: 'memory' } : { by: 'signal', signal };
  }

  #step(event: WorkerEvent): void {
    const { state, effects } = stepWorker(this.#state, event);
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: WorkerEffect): void {
    switch (effect.kind) {
      case 'signal':
        this.#signal(effect.signal);
        this.#signal('SIGCONT'); // a stopped process would not see the signal before its grace is over
        return;
      case 'kill':
        this.#parts.leaf?.kill();
        this.#signal('SIGKILL');
        this.#signal('SIGCONT');
        return;
      case 'arm':
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.#step({ kind: 'deadline' }), effect.afterMs);
        return;
      case 'disarm':
        clearTimeout(this.#timer);
        return;
      case 'sweep':
        this.#sweep();
        return;
      case 'end':
        this.#released = this.#release();
        this.#parts.onEnd(this, effect.exit, effect.wanted);
        return;
    }
  }

  /** To the process group, and only while its leader is ours and not reaped: the number cannot mean anybody else. */
  #signal(signal: NodeJS.Signals): void {
    if (this.#isReaped) return;
    try {
      process.kill(-this.pid, signal);
    } catch {
      // ESRCH: every member has ended and only the reaping is left.
    }
  }

  #sweep(): void {
    const { leaf, mark } = this.#parts;
    this.#swept = mark?.end(this.owner.uid);
    leaf?.kill();
    // A lost worker that ends after all leaves an empty group.
    if (this.#released !== undefined) void leaf?.remove();
  }

  async #release(): Promise<void> {
    const { socketPath } = this.#parts;
    if (socketPath !== undefined) rmSync(socketPath, { force: true });
    await Promise.all([this.#parts.leaf?.remove(), this.#swept]);
  }
}
