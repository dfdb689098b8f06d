// Asks again, every minute, who the users with living workers are (security rule R-I6); whoever changed loses them.
import { isAnswer, type AccountDirectory, type AccountResult } from '../privdrop/index.js';
import { LIMITS } from '../limits.js';
import type { WorkerOwner } from './worker-process.js';

export interface IdentityWatchParts {
  readonly accounts: () => AccountDirectory;
  /** Users with living workers, and as whom those run. */
  readonly users: () => ReadonlyMap<string, WorkerOwner>;
  readonly onChanged: (user: string, why: string) => void;
}

export class IdentityWatch {
  readonly #parts: IdentityWatchParts;
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;

  constructor(parts: IdentityWatchParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#timer = setInterval(() => void this.look(), LIMITS.identityCheckIntervalMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** One user after the other, so that launches find the look-up free. */
  async look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      for (const [user, owner] of this.#parts.users()) {
        const accounts = this.#parts.accounts();
        accounts.forget(user);
        const change = changeOf(await accounts.lookup(user), owner);
        if (change !== undefined) this.#parts.onChanged(user, change);
      }
    } finally {
      this.#isLooking = false;
    }
  }
}

function changeOf(result: AccountResult, owner: WorkerOwner): string | undefined {
  if (!result.ok) {
    const { rule, found } = result.finding;
    return isAnswer(result.code) ? `${rule}: ${found}` : undefined;
  }
  const { uid, gid } = result.account;
  return uid === owner.uid && gid === owner.gid ? undefined : `uid ${uid} gid ${gid}`;
}
