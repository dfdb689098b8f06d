// How often and how many: what one application, one user and all together may start (security.md R-C4); pure.
import { LIMITS } from '../limits.js';
import { TokenBucket, type Rate } from './token-bucket.js';

export type Level = 'app' | 'user' | 'probes' | 'total';

const APP_RATE: Rate = {
  maxCount: LIMITS.launchTokensPerAppMaxCount,
  perS: LIMITS.launchTokensPerAppPerS,
};
const USER_RATE: Rate = {
  maxCount: LIMITS.launchTokensPerUserMaxCount,
  perS: LIMITS.launchTokensPerUserPerS,
};
const RETURN_RATE: Rate = {
  maxCount: LIMITS.launchReturnsPerUserMaxCount,
  perS: LIMITS.launchReturnsPerUserPerS,
};
const PROBE_RATE: Rate = {
  maxCount: LIMITS.launchProbesPerUserMaxCount,
  perS: LIMITS.launchProbesPerUserPerS,
};
const ALL_PROBES_RATE: Rate = {
  maxCount: LIMITS.launchProbesTotalMaxCount,
  perS: LIMITS.launchProbesTotalPerS,
};
const TOTAL_RATE: Rate = {
  maxCount: LIMITS.launchTokensTotalMaxCount,
  perS: LIMITS.launchTokensTotalPerS,
};

/** Levels at which workers are counted. */
type Full = Exclude<Level, 'probes'>;

export type TokenAnswer =
  { readonly ok: true } | { readonly ok: false; readonly level: Level; readonly waitMs: number };

/**
 * Launch rates. One launch costs a token at each level, or none at all. The rates are meant for what dies; a worker that
 * served and was replaced in good order (max_requests, idle, a restart) gives its token back, at a rate of its own.
 */
export class LaunchTokens {
  readonly #apps = new Map<string, TokenBucket>();
  readonly #users = new Map<string, TokenBucket>();
  readonly #returns = new Map<string, TokenBucket>();
  readonly #probes = new Map<string, TokenBucket>();
  /** Applications that have been seen, bounded as the buckets are. */
  readonly #proved = new Set<string>();
  readonly #allProbes: TokenBucket;
  readonly #total: TokenBucket;

  constructor(nowMs: number) {
    this.#allProbes = new TokenBucket(ALL_PROBES_RATE, nowMs);
    this.#total = new TokenBucket(TOTAL_RATE, nowMs);
  }

  /**
   * Names that never led to an application have buckets of their own, one for each user and one for all: anybody can ask
   * for names that do not exist, and that must keep neither the user's own applications nor anybody else's from starting.
   */
  take(user: string, app: string, nowMs: number): TokenAnswer {
    const own: readonly (readonly [Level, TokenBucket])[] = this.#proved.has(app)
      ? [
          ['app', bucketOf(this.#apps, app, APP_RATE, nowMs)],
          ['user', bucketOf(this.#users, user, USER_RATE, nowMs)],
        ]
      : [
          ['probes', bucketOf(this.#probes, user, PROBE_RATE, nowMs)],
          ['probes', this.#allProbes],
        ];
    const buckets = [...own, ['total', this.#total] as const];
    for (const [level, bucket] of buckets) {
      const waitMs = bucket.waitMs(nowMs);
      if (waitMs > 0) return { ok: false, level, waitMs };
    }
    for (const [, bucket] of buckets) bucket.take(nowMs);
    return { ok: true };
  }

  /** There is such an application: its first launch is the user's own. */
  prove(user: string, app: string, nowMs: number): void {
    if (this.#proved.has(app)) return;
    if (this.#proved.size >= LIMITS.launchBucketsMaxCount) {
      const [oldest] = this.#proved;
      if (oldest !== undefined) this.#proved.delete(oldest);
    }
    this.#proved.add(app);
    this.#probes.get(user)?.give(nowMs);
    this.#allProbes.give(nowMs);
    bucketOf(this.#apps, app, APP_RATE, nowMs).take(nowMs);
    bucketOf(this.#users, user, USER_RATE, nowMs).take(nowMs);
  }

  /** It was there, and is not any more. */
  disprove(app: string): void {
    this.#proved.delete(app);
  }

  /** To application and user; what all together may start is a matter of the machine, and stays spent. */
  giveBack(user: string, app: string, nowMs: number): void {
    if (!bucketOf(this.#returns, user, RETURN_RATE, nowMs).take(nowMs)) return;
    this.#apps.get(app)?.give(nowMs);
    this.#users.get(user)?.give(nowMs);
  }

  /** The admin wants this application tried at once. */
  forgive(app: string): void {
    this.#apps.delete(app);
  }

  get size(): number {
    return this.#apps.size + this.#users.size + this.#returns.size + this.#probes.size;
  }
}

function bucketOf(
  buckets: Map<string, TokenBucket>,
  key: string,
  rate: Rate,
  nowMs: number,
): TokenBucket {
  const known = buckets.get(key);
  if (known !== undefined) return known;
  if (buckets.size >= LIMITS.launchBucketsMaxCount) forgetOne(buckets, nowMs);
  const fresh = new TokenBucket(rate, nowMs);
  buckets.set(key, fresh);
  return fresh;
}

/** Oldest first. One that is not full forgets a debt, which the level above it still holds. */
function forgetOne(buckets: Map<string, TokenBucket>, nowMs: number): void {
  for (const [key, bucket] of buckets) {
    if (!bucket.isFull(nowMs)) continue;
    buckets.delete(key);
    return;
  }
  const [oldest] = buckets.keys();
  if (oldest !== undefined) buckets.delete(oldest);
}

export interface WorkerCaps {
  readonly perApp: number;
  readonly perUser: number;
  readonly total: number;
}

/** Counts workers from the moment a launch is admitted until its process is gone. */
export class WorkerCensus {
  readonly #apps = new Map<string, number>();
  readonly #users = new Map<string, number>();
  #total = 0;

  /** The level that is full, or undefined and the worker is counted. */
  enter(user: string, app: string, caps: WorkerCaps): Full | undefined {
    const full = this.#fullLevel(user, app, caps);
    if (full !== undefined) return full;
    add(this.#apps, app, 1);
    add(this.#users, user, 1);
    this.#total += 1;
    return undefined;
  }

  leave(user: string, app: string): void {
    add(this.#apps, app, -1);
    add(this.#users, user, -1);
    this.#total -= 1;
  }

  countOfApp(app: string): number {
    return this.#apps.get(app) ?? 0;
  }

  countOfUser(user: string): number {
    return this.#users.get(user) ?? 0;
  }

  get total(): number {
    return this.#total;
  }

  #fullLevel(user: string, app: string, caps: WorkerCaps): Full | undefined {
    if (this.countOfApp(app) >= caps.perApp) return 'app';
    const usersOwn = this.countOfUser(user);
    if (usersOwn >= caps.perUser) return 'user';
    const reserve = usersOwn === 0 ? 0 : reservedOf(caps.total);
    return this.#total >= caps.total - reserve ? 'total' : undefined;
  }
}

/** The last slots go only to users who have no worker, so that one user cannot take them all. */
function reservedOf(total: number): number {
  return total < 2 ? 0 : Math.max(1, Math.floor(total / LIMITS.workersReservedDivisor));
}

function add(counts: Map<string, number>, key: string, change: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + change;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
