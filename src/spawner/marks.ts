// Without cgroups: what a worker has started is known by a mark that the kernel hands down and that nobody can take off.
//
// The mark is a hard limit, RLIMIT_LOCKS, which limits nothing since Linux 2.4: children inherit it whatever they do with
// their session, group and parent, and without privileges it can be lowered but never raised. A worker's is a number of its
// own, sealed by RLIMIT_RTTIME, which is for real-time scheduling and set to a century: what the one lacks of a constant sum, so that
// lowering either shows. Processes of the same user that no launch began (a login, SFTP, cron) have no such limit, and are left alone.
import { createHash, randomBytes } from 'node:crypto';
import { LIMITS } from '../limits.js';
import { MARK_SUM, type Mode } from '../privdrop/index.js';
import type { Log } from './log-face.js';
import { isPowerless, markLimitsOf, pidsOf } from './process-files.js';

/** Below 2^53, so that it is exact everywhere: 20 bits of the instance, 32 of the worker. */
const WORKER_MARKS = 2 ** 32;
const INSTANCE_BITS = 20;

/** What one worker is known by. */
export interface WorkerMark {
  readonly number: number;
  /** Ends what bears it, after the worker itself has ended. Settles when nothing is left, or what is left is reported. */
  end(uid: number): Promise<void>;
  /** There never was such a worker. */
  drop(): void;
}

export class Marks {
  readonly #mode: Mode;
  readonly #log: Log;
  readonly #first: number;
  /** Of workers that live. */
  readonly #living = new Set<number>();

  /** @param runDirectory what tells this usherd from others on the machine, and is the same after a restart */
  constructor(runDirectory: string, mode: Mode, log: Log) {
    this.#mode = mode;
    this.#log = log;
    const hash = createHash('sha256').update(runDirectory).digest().readUInt32BE(0);
    this.#first = (1 + (hash >>> (32 - INSTANCE_BITS))) * WORKER_MARKS;
  }

  issue(): WorkerMark {
    const number = this.#first + randomBytes(4).readUInt32BE(0);
    this.#living.add(number);
    const drop = (): void => void this.#living.delete(number);
    return { number, drop, end: (uid) => this.#end(number, uid) };
  }

  /** What workers of a predecessor have left, whoever they were. */
  clear(): Promise<void> {
    return this.#endAll(undefined);
  }

  #end(number: number, uid: number): Promise<void> {
    this.#living.delete(number);
    return this.#endAll(uid);
  }

  /** Whoever forks in between is found the next time. */
  async #endAll(uid: number | undefined): Promise<void> {
    const untilMs = performance.now() + LIMITS.remnantsEndMaxMs;
    for (let killed = this.#kill(uid); killed > 0; killed = this.#kill(uid)) {
      if (performance.now() > untilMs) {
        this.#log.error({ uid, count: killed }, 'processes of an ended worker survive kill');
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, LIMITS.remnantsRetryMs));
    }
  }

  /** How many there were. */
  #kill(uid: number | undefined): number {
    let count = 0;
    for (const pid of pidsOf(uid)) {
      if (!this.#isLeftBehind(pid)) continue;
      try {
        // Looked at in this very turn: its number would have to come round within microseconds to mean anybody else.
        process.kill(pid, 'SIGKILL');
        count += 1;
      } catch {
        // It ended by itself.
      }
    }
    return count;
  }

  /**
   * It bears a mark of ours that no living worker has; or one that was lowered, as its seal shows, whatever it pretends to
   * be now. A lowered one may have come from another usherd, too, so only what a launch has begun counts.
   */
  #isLeftBehind(pid: number): boolean {
    const { locks, seal } = markLimitsOf(pid);
    if (locks === undefined) return false;
    const isWhole = seal !== undefined && locks + seal === MARK_SUM;
    if (isWhole && this.#living.has(locks)) return false;
    if (locks >= this.#first && locks < this.#first + WORKER_MARKS) return true;
    return !isWhole && this.#mode === 'root' && isPowerless(pid);
  }
}
