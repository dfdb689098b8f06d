// From the router's `need` to a launch: step 1 of the launch sequence. The router asks, here it is decided.
import { availableParallelism } from 'node:os';
import type { Config } from '../config/index.js';
import type { RouterMessage } from '../ipc/index.js';
import { LIMITS } from '../limits.js';
import type { Account, AccountDirectory, Tools } from '../privdrop/index.js';
import { refusal, refusalBy, refusalOf, type Refusal } from './blueprint.js';
import { ExpiringMap } from './expiring-map.js';
import { FairQueue } from './fair-queue.js';
import { Launch } from './launch.js';
import type { LaunchGround, LaunchOutcome, Launched } from './launch-ground.js';
import { LaunchTokens, WorkerCensus, type Level } from './launch-limits.js';
import { limitsOfUser } from './user-limits.js';

export interface Need extends Readonly<Extract<RouterMessage, { type: 'need' }>> {
  /** On which connection it was asked: its ticket means nothing on another one. */
  readonly connection: number;
}

/** A need that was let in: it has a slot until its worker is gone or its launch has failed. */
export interface Admitted {
  readonly need: Need;
  readonly user: string;
  readonly account: Account;
  readonly config: Config;
  readonly askedAtMs: number;
}

export interface AdmissionParts {
  readonly ground: LaunchGround;
  readonly tools: { readonly current: () => Promise<Tools> };
  readonly config: () => Config;
  readonly accounts: () => Pick<AccountDirectory, 'lookup'>;
  readonly isSuspended: (user: string) => boolean;
  /** True while processes of somebody else have this uid; they are being ended. */
  readonly isUidHeld: (user: string, uid: number) => boolean;
  readonly onLaunched: (admitted: Admitted, launched: Launched) => void;
  readonly onRefused: (need: Need, why: Refusal, retryAfterMs: number) => void;
}

const RULES: Readonly<Record<Exclude<Level, 'probes'>, string>> = {
  app: 'max-workers-per-app',
  user: 'max-workers-per-user',
  total: 'max-workers',
};

export class Admission {
  readonly #parts: AdmissionParts;
  readonly #tokens: LaunchTokens;
  readonly #census = new WorkerCensus();
  readonly #queue: FairQueue<Admitted>;
  readonly #launches = new Map<Launch, string>();
  /** Refusals that would come out the same again: applications that are not there, or not safe. */
  readonly #remembered = new ExpiringMap<Refusal>(LIMITS.refusalsRememberedMaxCount);
  #lookups = 0;
  #isStopped = false;

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
    this.#tokens = new LaunchTokens(parts.ground.now());
    const activeMaxCount = LIMITS.launchesInFlightPerCpu * availableParallelism();
    this.#queue = new FairQueue({
      waitingMaxCount: LIMITS.launchQueueMaxCount,
      activeMaxCount,
      activePerUserMaxCount: Math.ceil(activeMaxCount / 2),
    });
  }

  get workerCount(): number {
    return this.#census.total;
  }

  get waitingCount(): number {
    return this.#queue.waitingCount;
  }

  get launchingCount(): number {
    return this.#queue.activeCount;
  }

  async ask(need: Need): Promise<void> {
    const user = need.app.slice(0, need.app.indexOf('/'));
    const refused = this.#refuseAtOnce(need, user);
    if (refused !== undefined) {
      this.#parts.onRefused(need, refused.why, refused.retryAfterMs);
      return;
    }
    const askedAtMs = this.#now();
    const config = this.#parts.config();
    const account = await this.#lookup(user);
    if (!account.ok) this.#refuse(need, account);
    else this.#enter({ need, user, account: account.account, config, askedAtMs });
  }

  /** A worker that had been launched is gone; `inOrder`: it was replaced, and nothing speaks for a storm. */
  left(user: string, app: string, inOrder: boolean): void {
    this.#census.leave(user, app);
    if (inOrder) this.#tokens.giveBack(user, app, this.#now());
    this.#launchNext();
  }

  /** What was held against this application is forgotten. */
  forgive(app: string): void {
    this.#remembered.delete(app);
    this.#tokens.forgive(app);
  }

  /** What was refused may be let in by a new configuration. */
  forgiveAll(): void {
    this.#remembered.clear();
  }

  /** Launches that wait for a place go nowhere: whoever asked is not there any more. */
  dropWaiting(): void {
    for (const { user, need } of this.#queue.empty()) this.#census.leave(user, need.app);
  }

  stop(): void {
    this.#isStopped = true;
    this.dropWaiting();
    const why = refusal('E_SHUTDOWN', '', 'the supervisor is stopping');
    for (const launch of this.#launches.keys()) launch.cancel(why);
  }

  /** Somebody has decided that this user gets no worker, or not as the one who was looked up. */
  cancelUser(user: string): void {
    const changed = refusal('E_SHUTDOWN', '', 'the account has changed');
    const why = this.#parts.isSuspended(user) ? suspended(user) : changed;
    for (const [launch, owner] of this.#launches) if (owner === user) launch.cancel(why);
  }

  #refuseAtOnce(need: Need, user: string): { why: Refusal; retryAfterMs: number } | undefined {
    const now = (why: Refusal): { why: Refusal; retryAfterMs: number } => ({
      why,
      retryAfterMs: 0,
    });
    if (this.#isStopped) return now(refusal('E_SHUTDOWN', '', ''));
    if (this.#parts.isSuspended(user)) return now(suspended(user));
    const broken = this.#parts.config().brokenUsers.get(user);
    if (broken !== undefined) return now(refusalBy('E_SETTINGS_INVALID', broken));
    const remembered = this.#remembered.get(need.app, this.#now());
    if (remembered !== undefined) {
      return { why: remembered.value, retryAfterMs: remembered.leftMs };
    }
    const isKnown = need.runtime === '' || this.#parts.config().runtimes.has(need.runtime);
    return isKnown ? undefined : now(refusal('E_RUNTIME_MISSING', 'runtime-known', need.runtime));
  }

  async #lookup(user: string): Promise<{ ok: true; account: Account } | Refusal> {
    // The directory bounds what runs at once; this bounds what waits for it.
    if (this.#lookups >= LIMITS.launchQueueMaxCount) {
      return refusal('E_SPAWN_LIMIT', 'account-lookups', 'too many accounts are being looked up');
    }
    this.#lookups += 1;
    try {
      const result = await this.#parts.accounts().lookup(user);
      if (result.ok) return result;
      const { rule, found, expected } = result.finding;
      return refusal(result.code, rule, `found ${found}; expected ${expected}`);
    } catch (err) {
      return refusalOf(err);
    } finally {
      this.#lookups -= 1;
    }
  }

  /** Nothing is taken unless everything is there: a slot, a token at each level, a place in the queue. */
  #enter(admitted: Admitted): void {
    const { need, user, config } = admitted;
    const tooLate = this.#refuseAtOnce(need, user); // much can happen during a look-up
    if (tooLate !== undefined) {
      this.#parts.onRefused(need, tooLate.why, tooLate.retryAfterMs);
      return;
    }
    if (this.#parts.isUidHeld(user, admitted.account.uid)) {
      const detail = 'workers of the former owner of this uid are still ending';
      this.#refuse(need, refusal('E_SPAWN_LIMIT', 'uid-reassigned', detail));
      return;
    }
    const { maxWorkersPerApp, maxWorkersPerUser } = limitsOfUser(config, user);
    const caps = { perApp: maxWorkersPerApp, perUser: maxWorkersPerUser, total: config.maxWorkers };
    const full = this.#census.enter(user, need.app, caps);
    if (full !== undefined) {
      this.#refuse(need, refusal('E_SPAWN_LIMIT', RULES[full], 'as many workers run as may'));
      return;
    }
    const tokens = this.#tokens.take(user, need.app, this.#now());
    const isQueued = tokens.ok && this.#queue.push(user, admitted);
    if (isQueued) {
      this.#launchNext();
      return;
    }
    this.#census.leave(user, need.app);
    const rule = tokens.ok ? 'launch-queue' : `launch-rate-${tokens.level}`;
    const why = refusal('E_SPAWN_LIMIT', rule, 'too many launches in this time');
    this.#refuse(need, why, tokens.ok ? 0 : tokens.waitMs);
  }

  #launchNext(): void {
    for (let next = this.#queue.take(); next !== undefined; next = this.#queue.take()) {
      void this.#launch(next);
    }
  }

  async #launch(admitted: Admitted): Promise<void> {
    const { user, need } = admitted;
    let outcome: LaunchOutcome;
    try {
      outcome = await this.#tryRoots(admitted);
    } catch (err) {
      outcome = refusalOf(err); // the tools of the chain
    }
    this.#queue.done(user);
    if (outcome.ok || outcome.code !== 'E_APP_UNKNOWN') {
      this.#tokens.prove(user, need.app, this.#now());
    } else {
      this.#tokens.disprove(need.app);
    }
    if (outcome.ok) {
      this.#parts.onLaunched(admitted, outcome);
    } else {
      this.#census.leave(user, need.app);
      this.#refuse(need, outcome);
    }
    this.#launchNext();
  }

  /** The first root that has the application; only "there is no such directory" asks the next one. */
  async #tryRoots({ need, user, account, config }: Admitted): Promise<LaunchOutcome> {
    let outcome: LaunchOutcome = refusal('E_APP_UNKNOWN', 'roots', 'no root is configured');
    for (const root of config.apps.roots) {
      const tools = await this.#parts.tools.current();
      const tooLate = this.#refuseAtOnce(need, user); // until here, nobody could call it off
      if (tooLate !== undefined) return tooLate.why;
      const directory = directoryOf(root, need.app);
      const launch = new Launch(this.#parts.ground, {
        user,
        app: need.app,
        account,
        directory,
        wantedRuntime: need.runtime,
        config,
        tools,
      });
      this.#launches.set(launch, user);
      outcome = await launch.run();
      this.#launches.delete(launch);
      if (outcome.ok || outcome.code !== 'E_APP_UNKNOWN') break;
    }
    return outcome;
  }

  #refuse(need: Need, why: Refusal, waitMs = 0): void {
    const ttlMs = rememberedForMs(why);
    if (ttlMs > 0) this.#remembered.set(need.app, why, this.#now() + ttlMs);
    this.#parts.onRefused(need, why, Math.max(waitMs, ttlMs));
  }

  #now(): number {
    return this.#parts.ground.now();
  }
}

const rememberedForMs = ({ code }: Refusal): number => {
  if (code === 'E_APP_UNKNOWN') return LIMITS.negativeAppTtlMs;
  return code === 'E_PRIVDROP_VERIFY' ? LIMITS.quarantineMs : 0;
};

/** Both parts fit the schema's expressions, so neither holds a slash or is a dot name. */
const directoryOf = (root: string, app: string): string => {
  const slash = app.indexOf('/');
  return root.replaceAll('{user}', app.slice(0, slash)).replaceAll('{app}', app.slice(slash + 1));
};

const suspended = (user: string): Refusal => refusal('E_SUSPENDED', 'suspended', user);
