// What each message of the supervisor means for applications, pools and requests: one row a message.
import { isErrorCode } from '../errors.js';
import type { AppFacts, SupervisorMessage } from '../ipc/index.js';
import { LIMITS } from '../limits.js';
import type { Logger } from '../log.js';
import type { PoolSet, SpawnedWorker } from '../pool/index.js';
import type { AppRegistry, WorkerNews } from './app-registry.js';
import type { Application } from './application.js';
import type { HostTable } from './host-table.js';
import type { PoolDispatcher, PoolTicket } from './dispatcher.js';
import type { Journal } from './journal.js';
import type { WorkerRecord } from './worker-record.js';
import type { RequestFace } from './request-types.js';
import type { UsageDesk } from './usage.js';

/** What concerns more than the connection itself. */
export type News = Exclude<SupervisorMessage, { type: 'foreign' }>;
type Of<T extends News['type']> = Extract<News, { type: T }>;

interface NewsOptions {
  readonly registry: AppRegistry;
  readonly pools: PoolSet<RequestFace>;
  readonly dispatcher: PoolDispatcher;
  readonly log: Logger;
  readonly journal: Journal;
  readonly onReload: (digest: string) => void;
  readonly onWelcome: (digest: string) => void;
  readonly hosts: HostTable;
  readonly usage: UsageDesk;
  readonly onOutdated: () => void;
  readonly onReport: (question: Of<'report'>) => void;
}

export class SupervisorNews {
  readonly #options: NewsOptions;
  /** Told as living since the supervisor came back. */
  readonly #announced = new Set<string>();

  constructor(options: NewsOptions) {
    this.#options = options;
  }

  /** Total: a new message is a compile error until it has a row. */
  readonly #rows: { readonly [T in News['type']]: (message: Of<T>) => void } = {
    welcome: ({ digest }) => {
      this.#options.onWelcome(digest);
      this.#options.pools.resumeAll();
      this.#announced.clear();
      this.#options.hosts.begin();
    },
    living: (message) => this.#onLiving(message),
    settled: () => this.#onSettled(),
    facts: (message) => this.#onFacts(message),
    spawned: (message) => this.#onSpawned(message),
    refused: (message) => this.#onRefused(message),
    exited: (message) => this.#onExited(message),
    leaving: ({ worker, reason }) => this.#options.pools.retire(worker, reason),
    restart: (message) => this.#onRestart(message),
    resumed: (message) => this.#onResumed(message.user),
    reset: ({ app }) => this.#onReset(app === '' ? undefined : app),
    start: (message) => this.#onStart(message.app),
    reload: ({ digest }) => this.#options.onReload(digest),
    vhost: ({ host, directory }) => this.#options.hosts.set(host, directory),
    report: (message) => this.#options.onReport(message),
    workerUsage: (message) => this.#options.usage.row(message),
    machine: (message) => this.#options.usage.end(message),
  };

  onMessage(message: News): void {
    // The compiler cannot correlate the row with the message it was chosen by.
    (this.#rows[message.type] as (message: News) => void)(message);
  }

  /** Perhaps before it had told everything: it was asked for workers all the same. */
  onDown(): void {
    this.#options.dispatcher.supervisorLost();
    this.#options.pools.supervisorLost();
  }

  onOutdated(): void {
    this.#options.onOutdated();
  }

  #onLiving(message: Of<'living'>): void {
    const { registry, pools, dispatcher } = this.#options;
    this.#announced.add(message.worker);
    registry.addWorker(message);
    const app = registry.obtain(message.app);
    app.runtimes.add(message.runtime);
    if (app.facts !== undefined) dispatcher.introduce(app.facts, message.runtime);
    pools.adopted(message.app, message.runtime, spawnedWorker(message));
  }

  /** Workers that it did not name died while it was away. */
  #onSettled(): void {
    const { registry, pools, dispatcher } = this.#options;
    for (const worker of registry.workers()) {
      if (!this.#announced.has(worker.id)) this.#onExited(goneWith(worker));
    }
    this.#announced.clear();
    this.#options.hosts.settle();
    dispatcher.supervisorBack();
    pools.supervisorBack();
    for (const app of registry.apps()) this.#resume(app);
    dispatcher.prestart();
  }

  /** What came while the supervisor was away: to the workers that live, or it asks for one. */
  #resume(app: Application): void {
    const { dispatcher } = this.#options;
    const { facts } = app;
    if (facts === undefined || app.workerCount === 0) {
      dispatcher.askAnew(app);
      return;
    }
    for (const request of app.takePending()) dispatcher.enter(facts, request, false);
  }

  #onFacts(facts: AppFacts): void {
    const app = this.#options.registry.obtain(facts.app);
    app.facts = facts;
    for (const runtime of app.runtimes) this.#options.dispatcher.configure(facts, runtime);
  }

  #onSpawned(message: Of<'spawned'>): void {
    const { registry, pools, dispatcher } = this.#options;
    const app = registry.obtain(message.app);
    const asked = dispatcher.takeTicket(message.ticket);
    const { facts } = app;
    if (facts !== undefined) {
      app.runtimes.add(message.runtime);
      dispatcher.introduce(facts, message.runtime);
    }
    app.started(message.runtime);
    registry.addWorker(message);
    registry.figuresOf(app).started(message.startMs);
    pools.spawned(message.app, message.runtime, spawnedWorker(message));
    if (asked !== undefined && asked.runtime !== message.runtime) this.#onOtherRuntime(app, asked);
    if (asked !== undefined || app.ticket !== message.ticket) return;
    app.ticket = undefined;
    dispatcher.coldLine.passed(app);
    for (const request of app.takePending()) {
      if (facts === undefined) request.refuse({ code: 'E_START_FAILED', detail: 'no facts' });
      else dispatcher.enter(facts, request, false);
    }
  }

  /** The application has another runtime than it had: who waits for the former one goes there. */
  #onOtherRuntime({ facts, runtimes }: Application, asked: PoolTicket): void {
    const { pools, dispatcher } = this.#options;
    runtimes.delete(asked.runtime);
    for (const request of pools.answeredElsewhere(asked.app, asked.runtime)) {
      if (facts !== undefined) dispatcher.enter(facts, request, true);
    }
  }

  #onRefused(message: Of<'refused'>): void {
    const { registry, pools, dispatcher, journal } = this.#options;
    const code = isErrorCode(message.code) ? message.code : 'E_START_FAILED';
    const { rule, detail, remedy, retryAfterMs } = message;
    registry.figuresOf(registry.app(message.app)).startRefused(code);
    const asked = dispatcher.takeTicket(message.ticket);
    const refusal = { code, rule, detail, remedy, retryAfterMs };
    if (asked !== undefined) {
      registry.app(asked.app)?.told(asked.runtime, refusal);
      if (!pools.refused(asked.app, asked.runtime, code, retryAfterMs)) {
        journal.startRefused(asked.app, refusal);
      }
      return;
    }
    const app = registry.app(message.app);
    if (app?.ticket !== message.ticket) return;
    app.ticket = undefined;
    if (code === 'E_SPAWN_LIMIT') {
      this.#onNoRoom(app, rule, Math.max(retryAfterMs, LIMITS.poolLimitHoldMinMs));
      return;
    }
    dispatcher.coldLine.passed(app);
    const { askedRuntime } = app;
    app.refuseFor(askedRuntime, refusal, Math.max(retryAfterMs, LIMITS.negativeAppTtlMs));
    const isMeant = (one: RequestFace): boolean => dispatcher.wantedBy(one) === askedRuntime;
    const meant = app.takePending(isMeant);
    if (meant.length === 0) journal.startRefused(app.id, refusal);
    for (const request of meant) request.refuse(refusal);
    dispatcher.ask(app); // for those who want another runtime
  }

  /** Only a limit: they go on waiting, and their deadline goes on running. */
  #onNoRoom(app: Application, rule: string, delayMs: number): void {
    const { pools, dispatcher } = this.#options;
    if (rule.startsWith('max-workers')) pools.makeRoom(app.user);
    if (rule.endsWith('-app')) {
      // Its own limit, which keeps no other application of its user from starting.
      dispatcher.coldLine.passed(app);
      app.askLater(delayMs, () => dispatcher.ask(app));
    } else {
      dispatcher.coldLine.held(app, delayMs);
    }
  }

  /**
   * The exit of a worker may be heard before its requests have read their connections to the end, where an answer may
   * be. Only they know whether it died with one; so the pool hears of the exit after them.
   */
  #onExited(message: Of<'exited'>): void {
    const worker = this.#options.registry.worker(message.worker);
    if (worker === undefined) return;
    // Nobody could read what never ran, and of one that survived KILL nobody knows when its connections end.
    const mayHaveAnswered = message.phase === 'run' && message.by !== 'lost';
    if (mayHaveAnswered && worker.requests.size > 0) worker.onIdle = () => this.#bury(message);
    else this.#bury(message);
  }

  #bury(message: Of<'exited'>): void {
    const { registry, pools, log } = this.#options;
    const worker = registry.removeWorker(message.worker);
    if (worker === undefined) return;
    const exitCause = causeOf(message);
    registry.figuresOf(registry.app(worker.app)).exited(exitReason(message, worker));
    if (!message.wanted || pools.hasDied(worker.id)) {
      const how = message.wanted ? 'broke off and ended' : 'ended by itself';
      log.warn({ app: worker.app, worker: worker.id, exitCause }, 'worker exited by itself');
      this.#options.journal.workerExited(worker.app, worker.pid, `${how}: ${exitCause}`);
    }
    pools.exited(message.worker, {
      phase: message.phase,
      wanted: message.wanted,
      code: message.by === 'code' ? message.exitCode : undefined,
      signal: message.signal === '' ? undefined : message.signal,
    });
    // A request on a worker whose program was never reached can have been read by nobody. The others
    // read their connection to its end first: an exit may be seen before the last bytes are.
    if (message.phase === 'run') return;
    for (const request of [...worker.requests]) request.onLost('undelivered', exitCause);
  }

  #onRestart(message: Of<'restart'>): void {
    const app = message.app === '' ? undefined : message.app;
    const user = message.user === '' ? undefined : message.user;
    if (app !== undefined) this.#onReset(app);
    this.#options.pools.drain(app, user, 'reload', { hold: message.hold });
  }

  /** What was refused while he was suspended is asked for anew as well. */
  #onResumed(user: string): void {
    const { registry, pools } = this.#options;
    for (const app of registry.apps()) if (app.user === user) app.forgive();
    pools.resume(user);
  }

  #onStart(app: string): void {
    this.#onReset(app);
    this.#options.dispatcher.start(this.#options.registry.obtain(app));
  }

  /** Of all of them without a name. */
  #onReset(app: string | undefined): void {
    const { registry, pools } = this.#options;
    if (app === undefined) for (const each of registry.apps()) each.forgive();
    else registry.app(app)?.forgive();
    pools.reset(app);
  }
}

const spawnedWorker = (news: WorkerNews): SpawnedWorker => ({
  worker: news.worker,
  pid: news.pid,
  protocol: news.protocol,
  concurrency: news.concurrency,
  maxRequests: news.maxRequests,
});

/** What shells and env(1) mean by it. */
const NO_COMMAND_HINTS: ReadonlyMap<number, string> = new Map([
  [126, 'a command that it runs cannot be executed'],
  [127, 'a command that it runs is not there'],
]);

function causeOf({ by, signal, exitCode }: Of<'exited'>): string {
  if (by === 'memory') return 'out of memory';
  if (by === 'signal') return signal;
  const hint = NO_COMMAND_HINTS.get(exitCode);
  return hint === undefined ? `code ${exitCode}` : `code ${exitCode} (${hint})`;
}

/** For counting: a closed list. */
function exitReason({ by, wanted }: Of<'exited'>, { retiredFor }: WorkerRecord): string {
  if (by === 'memory') return 'out-of-memory';
  if (by === 'lost') return 'lost';
  return wanted ? (retiredFor ?? 'asked') : by;
}

/** The exit that nobody was there to tell. */
const goneWith = (worker: WorkerRecord): Of<'exited'> => ({
  type: 'exited',
  worker: worker.id,
  app: worker.app,
  runtime: worker.runtime,
  phase: 'run',
  by: 'lost',
  exitCode: 0,
  signal: '',
  wanted: true,
});
