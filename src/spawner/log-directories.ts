// Sees to it that a user's log directory is there before his first worker, and that he may read in it and nobody else.
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { LIMITS } from '../limits.js';
import { makeLogDirectory, type Account, type Tools } from '../privdrop/index.js';
import type { RouterIdentity } from './directories.js';
import { ExpiringMap } from './expiring-map.js';
import type { Log } from './log-face.js';

export interface LogDirectoriesParts {
  readonly directory: string;
  readonly router: RouterIdentity;
  readonly log: Log;
  readonly now: () => number;
}

const MODE = 0o750;

export class LogDirectories {
  readonly #parts: LogDirectoriesParts;
  /** Users of whose shared group was told. */
  readonly #told = new ExpiringMap<true>(LIMITS.accountCacheMaxCount);
  /** Could not be made, and is not tried at every launch. */
  readonly #troubles = new ExpiringMap<true>(LIMITS.accountCacheMaxCount);

  constructor(parts: LogDirectoriesParts) {
    this.#parts = parts;
  }

  /** Never rejects, and never keeps a worker from starting: a site without a log is better than none. */
  async prepare(account: Account, tools: Tools): Promise<void> {
    const { directory, router, log, now } = this.#parts;
    const { name: user } = account;
    if (this.#troubles.get(user, now()) !== undefined) return;
    const path = join(directory, user);
    try {
      const gid = this.#reader(account);
      if (isAsWanted(path, router.uid, gid)) return;
      const signal = AbortSignal.timeout(LIMITS.accountLookupDeadlineMs);
      await makeLogDirectory({ path, router, gid }, tools, signal);
      if (isAsWanted(path, router.uid, gid)) return;
      log.warn({ user, path }, 'log directory not made');
    } catch (err) {
      log.warn({ user, path, err: String(err) }, 'log directory not made');
    }
    this.#troubles.set(user, true, now() + LIMITS.accountCacheTtlMs);
  }

  /** The group of the account if it is his alone; otherwise nobody but the router, because others are in it. */
  #reader({ name: user, gid, hasOwnGroup }: Account): number {
    const { router, log, now } = this.#parts;
    if (hasOwnGroup) return gid;
    if (this.#told.get(user, now()) === undefined) {
      log.warn({ user, gid }, 'primary group shared: only root reads the logs of this user');
      this.#told.set(user, true, now() + LIMITS.accountCacheTtlMs);
    }
    return router.gid;
  }
}

function isAsWanted(path: string, uid: number, gid: number): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return (
    stats?.isDirectory() === true &&
    stats.uid === uid &&
    stats.gid === gid &&
    (stats.mode & 0o7777) === MODE
  );
}
