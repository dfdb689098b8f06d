// What went wrong lately: one entry for each application and kind of trouble, counted, bounded for each user and in all.
import { ERRORS, type ErrorCode } from '../errors.js';
import { LIMITS } from '../limits.js';

export interface Failure {
  /** '' where no application was found. */
  readonly app: string;
  readonly code: ErrorCode;
  readonly rule: string;
  readonly detail: string;
  /** '' for that of the code. */
  readonly remedy: string;
  /** Name of the last request that met it. */
  readonly request: string;
}

export interface RememberedFailure extends Failure {
  readonly atMs: number;
  readonly times: number;
}

const userOf = ({ app }: Failure): string => app.slice(0, Math.max(0, app.indexOf('/')));

export class RecentFailures {
  /** Oldest first. */
  readonly #entries = new Map<string, RememberedFailure>();

  /** What the catalogue calls `info` is everyday life: a scanner's 404 is nobody's trouble. */
  note(failure: Failure, nowMs: number): void {
    const { level } = ERRORS[failure.code];
    if (level === 'info' || level === 'debug') return;
    const key = `${failure.app} ${failure.code} ${failure.rule}`;
    const before = this.#entries.get(key);
    this.#entries.delete(key);
    if (before === undefined) this.#makeRoom(userOf(failure));
    this.#entries.set(key, { ...failure, atMs: nowMs, times: (before?.times ?? 0) + 1 });
  }

  /** Newest first. */
  list(nowMs: number): readonly RememberedFailure[] {
    for (const [key, { atMs }] of this.#entries) {
      if (nowMs - atMs <= LIMITS.failureMaxAgeMs) break;
      this.#entries.delete(key);
    }
    return [...this.#entries.values()].reverse();
  }

  #makeRoom(user: string): void {
    const own = [...this.#entries].filter(([, entry]) => userOf(entry) === user);
    const [oldestOfAll] = this.#entries.keys();
    const [oldestOwn] = own[0] ?? [];
    if (own.length >= LIMITS.failuresPerUserMaxCount) this.#entries.delete(oldestOwn ?? '');
    else if (this.#entries.size >= LIMITS.failuresRememberedMaxCount) {
      this.#entries.delete(oldestOfAll ?? '');
    }
  }
}
