// Finds a pool, its application and its user again, and forgets those that have been quiet for long enough.
import type { ErrorCode } from '../errors.js';
import { LIMITS } from '../limits.js';
import { Account } from './account.js';
import { Alarm } from './alarm.js';
import { LinkedList } from './linked-list.js';
import type { PoolLimits } from './pool-contract.js';
import type { PoolHost } from './pool-host.js';
import { Pool } from './pool.js';

interface App<T extends object> {
  readonly user: User;
  readonly account: Account;
  readonly pools: Map<string, Pool<T>>;
}

interface User {
  readonly name: string;
  readonly account: Account;
  apps: number;
}

export class PoolRegistry<T extends object> {
  readonly #host: PoolHost<T>;
  readonly #apps = new Map<string, App<T>>();
  readonly #users = new Map<string, User>();
  /** The longest quiet first. */
  readonly #quiet = new LinkedList<Pool<T>>();
  readonly #forgetAlarm: Alarm;
  #size = 0;

  constructor(host: PoolHost<T>) {
    this.#host = host;
    this.#forgetAlarm = new Alarm(host.clock, () => this.#forgetQuiet());
  }

  get size(): number {
    return this.#size;
  }

  get(app: string, runtime: string): Pool<T> | undefined {
    return this.#apps.get(app)?.pools.get(runtime);
  }

  /** For an application of this user that has no pool yet: below its user if that is full, else below all. */
  makeRoom(user: string): void {
    const { slots } = this.#host;
    const account = this.#users.get(user)?.account;
    slots.yieldOne(account !== undefined && account.count >= account.max ? account : slots.total);
  }

  /**
   * Makes the pool if there is none, and sets its limits and those of its application and user. A new one does nothing
   * before its first plan.
   */
  configure(key: PoolKey, limits: PoolLimits, heldBy: ErrorCode | undefined): Pool<T> {
    const app = this.#apps.get(key.app) ?? this.#addApp(key.app, key.user);
    const { slots } = this.#host;
    slots.setMax(app.user.account, limits.maxWorkersPerUser);
    slots.setMax(app.account, limits.maxWorkersPerApp);
    const known = app.pools.get(key.runtime);
    if (known !== undefined) {
      known.configure(limits);
      return known;
    }
    const pool = new Pool<T>({
      host: this.#host,
      app: key.app,
      runtime: key.runtime,
      account: app.account,
      limits,
      heldBy,
    });
    app.pools.set(key.runtime, pool);
    this.#size += 1;
    return pool;
  }

  /** Asked at every request. */
  poolsOf(app: string): Iterable<Pool<T>> {
    return this.#apps.get(app)?.pools.values() ?? [];
  }

  /** All pools, or those of one application or one user. */
  *select(app: string | undefined, user: string | undefined): Generator<Pool<T>> {
    const chosen = app === undefined ? this.#apps.values() : [this.#apps.get(app)];
    for (const one of chosen) {
      if (one === undefined || (user !== undefined && one.user.name !== user)) continue;
      yield* one.pools.values();
    }
  }

  /** The pool is quiet. Whether it still is will be seen when it is about to be forgotten. */
  watch(pool: Pool<T>): void {
    pool.quietSinceMs = this.#host.clock.now();
    this.#quiet.append(pool.quietPlace);
    this.#forgetAlarm.arm(pool.quietSinceMs + LIMITS.poolForgetMs);
  }

  close(): void {
    this.#forgetAlarm.disarm();
  }

  #addApp(name: string, userName: string): App<T> {
    const user = this.#users.get(userName) ?? this.#addUser(userName);
    user.apps += 1;
    const account = new Account({ parent: user.account, max: 0 });
    const app: App<T> = { user, account, pools: new Map() };
    this.#apps.set(name, app);
    return app;
  }

  #addUser(name: string): User {
    const account = new Account({ parent: this.#host.slots.total, max: 0 });
    const user: User = { name, account, apps: 0 };
    this.#users.set(name, user);
    return user;
  }

  #forgetQuiet(): void {
    const nowMs = this.#host.clock.now();
    for (const pool of this.#quiet) {
      const dueMs = pool.quietSinceMs + LIMITS.poolForgetMs;
      if (dueMs > nowMs) {
        this.#forgetAlarm.arm(dueMs);
        return;
      }
      this.#quiet.remove(pool.quietPlace);
      if (!pool.isQuiet) continue;
      if (pool.forgetAtMs <= nowMs) this.#forget(pool);
      else this.watch(pool); // used, or backing off, meanwhile
    }
  }

  #forget(pool: Pool<T>): void {
    pool.close();
    const app = this.#apps.get(pool.app);
    if (app?.pools.delete(pool.runtime) !== true) return;
    this.#size -= 1;
    if (app.pools.size > 0) return;
    this.#apps.delete(pool.app);
    app.user.apps -= 1;
    if (app.user.apps === 0) this.#users.delete(app.user.name);
  }
}

export interface PoolKey {
  readonly app: string;
  readonly runtime: string;
  readonly user: string;
}
