// The unprivileged middle: front sockets, log socket, spool, the link to the supervisor, and the order in which they live.
import { randomBytes } from 'node:crypto';
import { lstatSync } from 'node:fs';
import type { Config } from '../config/index.js';
import { UsherdError } from '../errors.js';
import { LIMITS } from '../limits.js';
import type { Logger } from '../log.js';
import { PoolSet, systemClock } from '../pool/index.js';
import { AppRegistry } from './app-registry.js';
import type { RouterContext, RouterCounters } from './context.js';
import { DeadlineWatch } from './deadline-watch.js';
import { connectionsFor } from './descriptor-limit.js';
import { PoolDispatcher } from './dispatcher.js';
import { FrontListeners } from './front-listener.js';
import { FrontTokens } from './front-tokens.js';
import { WriteBudget } from './write-budget.js';
import { HostTable } from './host-table.js';
import { Journal } from './journal.js';
import { inheritedSockets } from './listening.js';
import { LogSink } from './log-sink.js';
import { metricsServer } from './metrics/index.js';
import type { MetricsServer } from './metrics/server.js';
import { FailureLog } from './failure-log.js';
import { Report } from './report.js';
import { takeScene, type Scene } from './scene.js';
import { Roots } from './resolve.js';
import { SpoolBudget } from './spool-budget.js';
import { openSpoolDirectory } from './spool-directory.js';
import { SupervisorLink } from './supervisor-link.js';
import { SupervisorNews } from './supervisor-news.js';
import type { FrontSide, RequestFace } from './request-types.js';
import { StatusPage } from './status-page/index.js';
import { NO_USAGE, UsageDesk, type Usage } from './usage.js';

export interface RouterOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly loadConfig: () => Promise<Config>;
  readonly version: string;
  /** The supervisor is newer than this process: it should end, for the installed one to start. */
  readonly onOutdated: () => void;
  /** Between two samples for the charts of the status page; for tests. */
  readonly sampleIntervalMs?: number;
}

const OTHER_TEXTS =
  'supervisor and router have read different texts: were the files being written? reload once more';
const DIFFERENT =
  'the configuration is not the one that the supervisor has, because files were changed without a reload: usherd reload';

/** Else it is root's, and so are the directories below it to make. */
function isOwn(directory: string): boolean {
  return lstatSync(directory, { throwIfNoEntry: false })?.uid === process.getuid?.();
}

const newTokens = ({ paths }: Config, log: Logger): FrontTokens =>
  new FrontTokens({
    stateDirectory: paths.state,
    log,
    trustedUids: new Set([0, process.getuid?.() ?? 0]),
  });

export class Router implements RouterContext {
  readonly log: Logger;
  readonly counters: RouterCounters = {
    frontConnections: 0,
    connectionsRefused: 0,
    requestsActive: 0,
    requestsTotal: 0,
    protocolErrors: 0,
    retries: 0,
  };
  readonly deadlineWatch = new DeadlineWatch(systemClock);
  readonly writeBudget = new WriteBudget();
  readonly spoolBudget = new SpoolBudget();
  readonly spoolDirectory: string;
  readonly logSink: LogSink;
  readonly journal: Journal;
  readonly statusTokens: FrontTokens;
  readonly dispatcher: PoolDispatcher;
  readonly #loadConfig: () => Promise<Config>;
  readonly #registry: AppRegistry;
  readonly #pools: PoolSet<RequestFace>;
  readonly #link: SupervisorLink;
  readonly #listeners: FrontListeners;
  readonly #metrics: MetricsServer;
  readonly #statusPage: StatusPage;
  /** Differs from one start of the router to the next, so that request names never repeat in a log. */
  readonly #namePrefix = randomBytes(4).toString('hex');
  #prestartTimer: NodeJS.Timeout | undefined;
  #nameCount = 0;
  /** Of the listeners: a reload does not change it. */
  #connectionsMax = 0;
  readonly #hosts = new HostTable();
  readonly #usage = new UsageDesk((message) => this.#link.send(message));
  #config: Config;
  /** What the supervisor has; undefined until it was there once. */
  #wantedDigest: string | undefined;
  #roots: Roots;
  #tokens: FrontTokens | undefined;

  constructor(options: RouterOptions) {
    const { config, log } = options;
    this.#config = config;
    this.log = log;
    this.#loadConfig = options.loadConfig;
    this.#roots = this.#rootsOf(config);
    this.statusTokens = newTokens(config, log);
    this.#tokens = this.#tokensFor(config);
    this.spoolDirectory = `${config.paths.state}/spool`;
    this.logSink = new LogSink({
      socketPath: `${config.paths.run}/router/log.sock`,
      logDirectory: config.paths.log,
      makesDirectories: isOwn(config.paths.log),
      log,
      identify: (worker) => this.#registry.identify(worker),
    });
    this.#registry = new AppRegistry(config.paths.run);
    this.journal = new Journal({
      failureLog: new FailureLog(log),
      logSink: this.logSink,
      registry: this.#registry,
    });
    this.#pools = new PoolSet<RequestFace>({
      clock: systemClock,
      maxWorkers: config.maxWorkers,
      callbacks: {
        need: (app, runtime) => this.dispatcher.need(app, runtime),
        assign: (request, worker) => this.dispatcher.assign(request, worker),
        refuse: (request, code, retryAfterMs) =>
          this.dispatcher.refuse(request, { code, retryAfterMs }),
        retire: (worker, reason) => this.dispatcher.retire(worker, reason),
      },
    });
    this.#statusPage = new StatusPage({
      ...{ log, version: options.version },
      scene: () => this.#scene(),
      failures: () => this.journal.failures(),
      sampleIntervalMs: options.sampleIntervalMs ?? LIMITS.historyIntervalMs,
    });
    this.dispatcher = new PoolDispatcher({
      config,
      statusPage: this.#statusPage,
      registry: this.#registry,
      pools: this.#pools,
      counters: this.counters,
      send: (message) => this.#link.send(message),
    });
    const supervisorSocket = `${config.paths.run}/supervisor.sock`;
    this.#link = new SupervisorLink(supervisorSocket, log, this.#news(options.onOutdated));
    this.#listeners = new FrontListeners(this, log);
    this.#metrics = metricsServer({
      log,
      version: options.version,
      detail: () => this.#config.metrics.detail,
      scene: () => this.#scene(),
    });
  }

  /** @throws UsherdError E_STARTUP_SOCKET, E_STARTUP_DIRECTORY */
  async start(): Promise<void> {
    await this.#listeners.assertFree(this.#config.front); // before anything of a predecessor's is replaced
    await openSpoolDirectory(this.#config.paths.state);
    await this.logSink.start(); // before the first worker can be started
    this.#link.start();
    // An application that could not be started, because its user came later or a limit was reached, is tried again.
    this.#prestartTimer = setInterval(() => this.dispatcher.prestart(), LIMITS.prestartRetryMs);
    this.#connectionsMax = connectionsFor(this.#config.front.connectionsMax, this.log);
    const connectionsMax = this.#connectionsMax;
    await this.#listeners.start({ ...this.#config.front, connectionsMax });
    this.#statusPage.start(() => this.#look(NO_USAGE));
    const inherited = inheritedSockets().metrics;
    await this.#metrics.start({ ...this.#config.metrics, inherited });
    this.log.info('router ready');
  }

  /** No new requests; those in flight get `shutdownDrainMs`. */
  async stop(): Promise<void> {
    clearInterval(this.#prestartTimer);
    this.#metrics.stop();
    this.#statusPage.stop();
    this.#listeners.drain();
    await this.#settled(LIMITS.shutdownIdleMs, () => this.#listeners.connectionCount === 0);
    this.#listeners.closeIdle();
    await this.#settled(LIMITS.shutdownDrainMs, () => this.#listeners.isServed);
    this.#listeners.destroy();
    this.#pools.close();
    this.dispatcher.coldLine.clear();
    for (const app of this.#registry.apps()) app.close();
    for (const worker of this.#registry.workers()) worker.connections.retire();
    this.#link.stop();
    await this.logSink.stop();
    this.log.info('router stopped');
  }

  /** On error, or where it is not what the supervisor has, the configuration in force stays. */
  async reload(): Promise<void> {
    await this.#take(this.#wantedDigest);
  }

  /** Resolves to '' once this configuration is in force, else to why it is not. */
  async #take(digest: string | undefined): Promise<string> {
    try {
      const config = await this.#loadConfig();
      if (digest !== undefined && config.digest !== digest) {
        throw new UsherdError('E_CONFIG_UNREADABLE', OTHER_TEXTS);
      }
      this.#config = config;
      this.#roots = this.#rootsOf(config);
      this.#tokens = this.#tokensFor(config);
      this.dispatcher.reconfigure(config);
      this.log.info('configuration reloaded');
      return '';
    } catch (err) {
      const detail = err instanceof Error ? err.message : String(err);
      this.log.error({ detail }, 'configuration not reloaded');
      return detail.slice(0, LIMITS.ipcDetailMaxChars);
    }
  }

  async #onReload(digest: string): Promise<void> {
    const detail = await this.#take(digest);
    if (detail === '') this.#wantedDigest = digest;
    this.#link.send({ type: 'reloaded', digest, detail });
  }

  /** One of us was started, or started again, after the files had been changed. */
  async #onWelcome(digest: string): Promise<void> {
    this.#wantedDigest = digest;
    if (digest === this.#config.digest) return;
    if ((await this.#take(digest)) !== '') this.log.error(DIFFERENT);
  }

  #rootsOf({ apps }: Config): Roots {
    return new Roots(apps.roots, { directory: apps.vhosts, targets: this.#hosts.targets });
  }

  roots(): Roots {
    return this.#roots;
  }

  frontTokens(): FrontTokens | undefined {
    return this.#tokens;
  }

  copiesStderr(): boolean {
    return this.#config.front.copyStderr;
  }

  nextRequestName(): string {
    this.#nameCount += 1;
    return `${this.#namePrefix}-${this.#nameCount.toString(36)}`;
  }

  connectionClosed(connection: FrontSide): void {
    this.#listeners.closed(connection);
  }

  #tokensFor(config: Config): FrontTokens | undefined {
    return config.front.authentication === 'none' ? undefined : newTokens(config, this.log);
  }

  #news(onOutdated: () => void): SupervisorNews {
    return new SupervisorNews({
      onOutdated,
      registry: this.#registry,
      pools: this.#pools,
      dispatcher: this.dispatcher,
      hosts: this.#hosts,
      log: this.log,
      journal: this.journal,
      usage: this.#usage,
      onReload: (digest) => void this.#onReload(digest),
      onWelcome: (digest) => void this.#onWelcome(digest),
      onReport: ({ serial, about }) => this.#report(serial)[about](),
    });
  }

  #report(serial: number): Report {
    return new Report({
      serial,
      context: this,
      pools: this.#pools,
      registry: this.#registry,
      connections: this.#listeners.connections,
      send: (row) => void this.#link.send(row),
    });
  }

  async #scene(): Promise<Scene> {
    return this.#look(await this.#usage.ask());
  }

  #look(usage: Usage): Promise<Scene> {
    const parts = {
      ...{ registry: this.#registry, pools: this.#pools, counters: this.counters },
      bufferedBytes: () => this.writeBudget.bytes,
      spooledBytes: () => this.spoolBudget.diskBytes,
      connectionsMax: () => this.#connectionsMax,
    };
    return takeScene(parts, usage);
  }

  #settled(deadlineMs: number, isSettled: () => boolean): Promise<void> {
    const giveUpMs = performance.now() + deadlineMs;
    return new Promise((resolve) => {
      const timer = setInterval(() => {
        if (!isSettled() && performance.now() < giveUpMs) return;
        clearInterval(timer);
        resolve();
      }, LIMITS.shutdownPollMs);
    });
  }
}
