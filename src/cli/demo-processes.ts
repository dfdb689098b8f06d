// The processes of the demo: start them, wait until they answer, and see that none is left.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { connect, type NetConnectOpts } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { UsherdError } from '../errors.js';

const POLL_MS = 50;
const LOG_LINES_SHOWN = 15;

/** One long-running child in a session of its own, so that a Ctrl-C reaches only the demo, which stops things in order. */
export class DemoProcess {
  readonly #child: ChildProcess;
  readonly #logFile: string;
  readonly ended: Promise<void>;

  constructor(argv: readonly string[], logFile: string) {
    const [file = '', ...args] = argv;
    const log = openSync(logFile, 'a', 0o600);
    this.#logFile = logFile;
    this.#child = spawn(file, args, {
      cwd: '/',
      env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
      stdio: ['ignore', log, log],
      detached: true,
      shell: false,
    });
    closeSync(log);
    this.ended = new Promise((resolve) => {
      this.#child.once('exit', () => resolve());
      this.#child.once('error', () => resolve());
    });
  }

  isRunning(): boolean {
    return (
      this.#child.pid !== undefined &&
      this.#child.exitCode === null &&
      this.#child.signalCode === null
    );
  }

  /** The end of what the process wrote. */
  get lastLines(): string {
    const lines = readFileSync(this.#logFile, 'utf8').trimEnd().split('\n');
    return lines.slice(-LOG_LINES_SHOWN).join('\n');
  }

  /** Terminates, and kills after the grace. @returns false if it had to be killed */
  async stop(graceMs: number): Promise<boolean> {
    if (!this.isRunning()) return true;
    this.#child.kill('SIGTERM');
    const deadline = new AbortController();
    await Promise.race([
      this.ended,
      delay(graceMs, undefined, { signal: deadline.signal }).catch(() => undefined),
    ]);
    deadline.abort();
    if (!this.isRunning()) return true;
    this.#child.kill('SIGKILL');
    await this.ended;
    return false;
  }
}

async function answers(address: NetConnectOpts): Promise<boolean> {
  const socket = connect(address);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/**
 * Waits until somebody listens there.
 *
 * @throws UsherdError E_STARTUP_SOCKET when the process has ended or the deadline is over
 * @throws the reason of `signal` when it is aborted
 */
export async function waitForListener(
  address: NetConnectOpts,
  owner: DemoProcess,
  options: { readonly deadlineMs: number; readonly signal: AbortSignal; readonly name: string },
): Promise<void> {
  const endMs = Date.now() + options.deadlineMs;
  while (!(await answers(address))) {
    options.signal.throwIfAborted();
    const problem = owner.isRunning() ? 'is not ready in time' : 'ended at once';
    if (!owner.isRunning() || Date.now() > endMs) {
      throw new UsherdError(
        'E_STARTUP_SOCKET',
        `${options.name} ${problem}. Its last words:\n${owner.lastLines}`,
      );
    }
    await delay(POLL_MS);
  }
}

/** Pids of every process that runs under one of these uids, which the demo made sure nobody else has. */
export function processesOf(uids: ReadonlySet<number>): readonly number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const uidOf = (pid: string): number =>
    statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid ?? 0;
  return pids.filter((pid) => uids.has(uidOf(pid))).map(Number);
}
