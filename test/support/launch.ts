// One launch from spawn to exec, the way a spawner does it, for tests of the drop: verified, looked, started, watched.
import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, readdirSync, readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { isUsherdError, type ErrorCode, type Finding } from '../../src/errors.js';
import {
  launchChain,
  LauncherDialogue,
  launcherProgram,
  verifyDrop,
  type DropPlan,
  type LaunchReport,
  type LauncherEnd,
  type Program,
  type Tools,
} from '../../src/privdrop/index.js';

export interface LaunchOptions {
  readonly plan: DropPlan;
  readonly tools: Tools;
  readonly directory: string;
  readonly names?: readonly string[];
  readonly program: Program;
  /** Descriptor 0 of the worker; nothing if undefined. */
  readonly listenFd?: number;
  readonly detached?: boolean;
  readonly deadlineMs?: number;
  /** Called at each turn of the supervisor with the pid; after it the launch goes on. */
  readonly onStep?: (step: 'verify' | 'report', child: ChildProcess) => void;
  /** Called when the worker has been started, or nothing will be. */
  readonly onEnded?: (child: ChildProcess) => void;
}

export interface LaunchOutcome {
  readonly ended: LauncherEnd;
  readonly faults: readonly Finding[];
  readonly refusal:
    | { readonly code: ErrorCode; readonly finding: Finding; readonly others: readonly Finding[] }
    | undefined;
  readonly errorCode: ErrorCode | undefined;
  readonly report: LaunchReport | undefined;
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** All that the worker, or the chain, said on 1 and 2. */
  readonly output: string;
  readonly startMs: number;
  readonly pid: number;
}

/** Test runners inherit descriptors of whatever runs them; a supervisor would have refused to start. */
export function closeInheritedDescriptors(): void {
  for (const descriptor of readdirSync('/proc/self/fdinfo')) {
    try {
      const info = readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1');
      const flags = Number.parseInt(/^flags:\s*([0-7]+)$/m.exec(info)?.[1] ?? '', 8);
      if (Number(descriptor) > 2 && (flags & 0o2000000) === 0) closeSync(Number(descriptor));
    } catch {
      // It was the listing's own.
    }
  }
}

class Launch {
  readonly #options: LaunchOptions;
  readonly #child: ChildProcess;
  readonly #dialogue: LauncherDialogue;
  readonly #output: Buffer[] = [];
  readonly #beganMs = performance.now();
  #faults: readonly Finding[] = [];
  #refusal: LaunchOutcome['refusal'];
  #errorCode: ErrorCode | undefined;
  #report: LaunchReport | undefined;
  #ended: LaunchOutcome['ended'] = 'silent';
  #startMs = Number.NaN;

  constructor(options: LaunchOptions) {
    this.#options = options;
    const { plan, tools, listenFd, detached = true } = options;
    const { file, args } = launchChain(plan, tools, launcherProgram(tools));
    const spawnOptions: SpawnOptions = {
      cwd: '/',
      env: Object.create(null) as NodeJS.ProcessEnv,
      detached,
      stdio: [listenFd ?? 'ignore', 'pipe', 'pipe', 'pipe'],
    };
    this.#child = spawn(file, args, spawnOptions);
    this.#dialogue = this.#makeDialogue();
  }

  run(): Promise<LaunchOutcome> {
    const child = this.#child;
    const line = child.stdio[3] as Socket;
    line.on('error', () => undefined);
    line.on('data', (chunk: Buffer) => this.#guard(() => this.#dialogue.push(chunk)));
    const over = (isWhole: boolean) => (): void => {
      if (!Number.isNaN(this.#startMs)) return;
      this.#ended = this.#dialogue.ended(isWhole);
      this.#startMs = performance.now() - this.#beganMs;
      line.end();
      this.#options.onEnded?.(child);
    };
    line.on('end', over(true));
    line.on('close', over(false)); // without an end, where the launcher left something unread
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => this.#output.push(chunk));
    }
    const deadline = setTimeout(() => child.kill('SIGKILL'), this.#options.deadlineMs ?? 10_000);
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (exitCode, signal) => {
        clearTimeout(deadline);
        resolve(this.#outcome(exitCode, signal));
      });
    });
  }

  #outcome(exitCode: number | null, signal: NodeJS.Signals | null): LaunchOutcome {
    return {
      ended: this.#ended,
      faults: this.#faults,
      refusal: this.#refusal,
      errorCode: this.#errorCode,
      report: this.#report,
      exitCode,
      signal,
      output: Buffer.concat(this.#output).toString('latin1'),
      startMs: this.#startMs,
      pid: this.#child.pid ?? 0,
    };
  }

  #makeDialogue(): LauncherDialogue {
    const { plan, directory, names = [], program, onStep } = this.#options;
    const child = this.#child;
    const line = child.stdio[3] as Socket;
    return new LauncherDialogue({
      directory,
      uid: plan.uid,
      nonce: randomBytes(16).toString('hex'),
      names,
      onText: (text) => void line.write(text),
      onDescriptors: () => {
        this.#faults = verifyDrop(child.pid ?? 0, plan, process.pid);
        onStep?.('verify', child);
        if (this.#faults.length === 0) this.#dialogue.look();
        else child.kill('SIGKILL');
      },
      onReport: (report) => {
        this.#report = report;
        onStep?.('report', child);
        this.#dialogue.start(program);
      },
      onRefused: (code, finding, others) => {
        this.#refusal = { code, finding, others };
        child.kill('SIGKILL');
      },
    });
  }

  #guard(action: () => void): void {
    try {
      action();
    } catch (err) {
      if (!isUsherdError(err)) throw err;
      this.#errorCode = err.code;
      this.#child.kill('SIGKILL');
    }
  }
}

export const launch = (options: LaunchOptions): Promise<LaunchOutcome> => new Launch(options).run();
