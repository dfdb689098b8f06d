// Keeps users' private directories from filling up: one user after the other, at most once a day each.
import type { Config } from '../config/index.js';
import { isAnswer, type AccountDirectory } from '../privdrop/index.js';
import { refusalOf } from './blueprint.js';
import { CleanSchedule, type CleanTimes } from './clean-schedule.js';
import { Cleaning, type CleaningGround, type CleaningOutcome } from './cleaning.js';
import type { Log } from './log-face.js';
import type { PinnedTools } from './pinned-tools.js';
import { printable } from './printable.js';
import type { WorkerProcess } from './worker-process.js';

export interface PrivateCleanerParts {
  readonly ground: CleaningGround;
  readonly tools: PinnedTools;
  readonly log: Log;
  readonly config: () => Config;
  readonly accounts: () => AccountDirectory;
  readonly isSuspended: (user: string) => boolean;
  /** True while processes of somebody else have this uid. */
  readonly isUidHeld: (user: string, uid: number) => boolean;
  readonly times: CleanTimes;
  readonly workersOf: (user: string) => readonly WorkerProcess[];
}

export class PrivateCleaner {
  readonly #parts: PrivateCleanerParts;
  readonly #schedule: CleanSchedule;
  #timer: NodeJS.Timeout | undefined;
  #isBusy = false;
  #running: { readonly user: string; readonly cleaning: Cleaning } | undefined;
  #isStopped = false;

  constructor(parts: PrivateCleanerParts) {
    this.#parts = parts;
    this.#schedule = new CleanSchedule(parts.times);
  }

  /** A worker of this user has started. */
  seen(user: string): void {
    this.#schedule.seen(user, this.#parts.ground.now());
    this.#arm();
  }

  /** What runs ends with the supervisor's other processes. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  /** Nothing may run as this user any more. */
  cancel(user: string): void {
    if (this.#running?.user === user) this.#running.cleaning.cancel();
  }

  /** The one whose turn it is; settles when he is done. */
  async clean(user: string): Promise<void> {
    this.#isBusy = true;
    try {
      await this.#tryToClean(user);
    } catch (err) {
      this.#tell(user, refusalOf(err), 0);
    } finally {
      this.#isBusy = false;
      this.#running = undefined;
      this.#schedule.done(user, this.#parts.ground.now());
      this.#arm();
    }
  }

  #arm(): void {
    if (this.#isStopped || this.#isBusy) return;
    const next = this.#schedule.next();
    if (next === undefined) return;
    clearTimeout(this.#timer);
    const waitMs = Math.max(0, next.dueAtMs - this.#parts.ground.now());
    this.#timer = setTimeout(() => void this.clean(next.user), waitMs);
  }

  async #tryToClean(user: string): Promise<void> {
    const { ground, config, accounts, isSuspended, isUidHeld, workersOf } = this.#parts;
    const found = await accounts().lookup(user);
    if (!found.ok) {
      if (isAnswer(found.code)) this.#schedule.forget(user); // until he has a worker again
      return;
    }
    const tools = await this.#parts.tools.current();
    const { account } = found;
    // Much can happen during a look-up.
    if (this.#isStopped || isSuspended(user) || isUidHeld(user, account.uid)) return;
    const startedAtMs = ground.now();
    const oldestWorkerMs = Math.max(
      0,
      ...workersOf(user).map((worker) => startedAtMs - worker.startedAtMs),
    );
    const request = { user, account, config: config(), tools, oldestWorkerMs };
    const cleaning = new Cleaning(ground, request);
    this.#running = { user, cleaning };
    const outcome = await cleaning.run();
    this.#tell(user, outcome, ground.now() - startedAtMs);
  }

  #tell(user: string, outcome: CleaningOutcome, ms: number): void {
    const { log } = this.#parts;
    const durationMs = Math.round(ms);
    if (this.#isStopped || outcome === 'absent') return;
    if (typeof outcome === 'string') {
      log.warn({ user, detail: TROUBLES[outcome] }, 'private directory not cleaned');
    } else if ('removedCount' in outcome) {
      log.info(
        { user, removedCount: outcome.removedCount, durationMs },
        'private directory cleaned',
      );
    } else {
      const fields = {
        user,
        errorCode: outcome.code,
        detail: printable(outcome.detail),
        durationMs,
      };
      if (outcome.code === 'E_PRIVDROP_VERIFY') log.fatal(fields, 'privilege drop not proved');
      else log.warn(fields, 'private directory not cleaned');
    }
  }
}

const TROUBLES = {
  foreign: 'it does not belong to this user',
  mounted: 'something is mounted below it: unmount that, or see to the old files by hand',
} as const;
