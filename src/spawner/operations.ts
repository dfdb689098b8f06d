// What root does when something happens: the router asks, a launch or a worker ends, files or accounts change.
import type { RouterMessage } from '../ipc/index.js';
import { LIMITS } from '../limits.js';
import type { Mode } from '../privdrop/index.js';
import { RouterAgreement } from './agreement.js';
import { Admission, type Admitted, type Need } from './admission.js';
import type { Blueprint, Describe, DescribeInput, Refusal } from './blueprint.js';
import type { CgroupTree } from './cgroup.js';
import type { CleanTimes } from './clean-schedule.js';
import { ChangeWatch } from './change-watch.js';
import { newCounters } from './counters.js';
import { entryNames, systemFiles } from './entry-names.js';
import { exitMessage, livingMessage } from './worker-messages.js';
import { IdentityWatch } from './identity-watch.js';
import type { LaunchGround, Launched } from './launch-ground.js';
import type { LogDirectories } from './log-directories.js';
import type { Log } from './log-face.js';
import type { Marks } from './marks.js';
import type { Monitored, ReportRow } from './monitor.js';
import type { RunPaths } from './paths.js';
import type { PinnedTools } from './pinned-tools.js';
import { printable } from './printable.js';
import { PrivateCleaner } from './private-cleaner.js';
import { RouterLink } from './router-link.js';
import { RouterReports } from './router-report.js';
import type { Settings } from './settings.js';
import { StartNews } from './start-news.js';
import { Suspensions } from './suspensions.js';
import { VhostWatch, type VhostReader } from './vhost-watch.js';
import { exitFields, idsOf } from './worker-fields.js';
import type { WorkerProcess } from './worker-process.js';
import type { WorkerExit } from './worker-state.js';
import { Workers, type RunningWorker } from './workers.js';

export interface OperationsParts {
  readonly mode: Mode;
  readonly version: string;
  readonly log: Log;
  readonly now: () => number;
  readonly paths: RunPaths;
  readonly cgroups: CgroupTree | undefined;
  readonly marks: Marks | undefined;
  readonly logDirectories: LogDirectories | undefined;
  readonly tools: PinnedTools;
  readonly settings: Settings;
  readonly describe: Describe;
  readonly markNames: LaunchGround['markNames'];
  readonly onStep: LaunchGround['onStep'];
  readonly vhosts: VhostReader;
  readonly cleanTimes: CleanTimes;
  readonly threads: number;
  /** What workers use and how we are, for the router. */
  readonly tellUsage: (serial: number) => void;
}

type Retire = Extract<RouterMessage, { type: 'retire' }>;
type Reloaded = Extract<RouterMessage, { type: 'reloaded' }>;
type Check = Extract<RouterMessage, { type: 'check' }>;
type Usage = Extract<RouterMessage, { type: 'usage' }>;

export class Operations implements Monitored {
  readonly workers = new Workers();
  readonly suspensions = new Suspensions();
  readonly reports = new RouterReports();
  readonly agreement = new RouterAgreement();
  readonly starts = new StartNews();
  readonly counters = newCounters();
  readonly link: RouterLink;
  readonly admission: Admission;
  readonly identities: IdentityWatch;
  readonly vhosts: VhostWatch;
  readonly cleaner: PrivateCleaner;
  readonly #changes: ChangeWatch;
  readonly #parts: OperationsParts;

  constructor(parts: OperationsParts) {
    this.#parts = parts;
    const { log, now, settings } = parts;
    this.link = new RouterLink({
      monitored: this,
      counters: this.counters,
      log,
      now,
      onGone: () => this.#routerGone(),
    });
    this.admission = new Admission({
      ground: this.#ground(),
      tools: parts.tools,
      config: () => settings.config,
      accounts: () => settings.accounts,
      isSuspended: (user) => this.suspensions.has(settings.config, user),
      isUidHeld: (user, uid) => this.#isUidHeld(user, uid),
      onLaunched: (admitted, launched) => this.#launched(admitted, launched),
      onRefused: (need, why, retryAfterMs) => this.#refused(need, why, retryAfterMs),
    });
    this.cleaner = new PrivateCleaner({
      ground: this.#ground(),
      ...{ tools: parts.tools, log, times: parts.cleanTimes },
      config: () => settings.config,
      accounts: () => settings.accounts,
      isSuspended: (user) => this.suspensions.has(settings.config, user),
      isUidHeld: (user, uid) => this.#isUidHeld(user, uid),
      workersOf: (user) => this.workers.ofUser(user).map(({ process }) => process),
    });
    this.#changes = new ChangeWatch({
      ...{ now, threads: parts.threads },
      onChanged: (app) => this.#changed(app),
      onHung: (app, directory) => log.warn({ app, directory }, 'files of an application hang'),
    });
    this.vhosts = new VhostWatch({
      reader: parts.vhosts,
      directory: () => settings.config.apps.vhosts,
      log,
      tell: (host, directory) => void this.link.send({ type: 'vhost', host, directory }),
    });
    this.identities = new IdentityWatch({
      accounts: () => settings.accounts,
      users: () => this.#livingUsers(),
      onChanged: (user, why) => this.#identityChanged(user, why),
    });
  }

  // --- the router asks -------------------------------------------------------------------------

  /** A router has come, perhaps after another one: it hears what lives, and who is suspended. */
  greet(): void {
    const { version, settings } = this.#parts;
    const { digest } = settings.config;
    this.link.send({ type: 'welcome', version, digest });
    for (const worker of this.workers.running) if (worker.process.isRunning) this.#present(worker);
    this.vhosts.tellAll();
    for (const user of this.suspensions.all(settings.config)) this.#hold(user);
    this.link.send({ type: 'settled' });
  }

  need(message: Omit<Need, 'connection'>): void {
    this.counters.needs += 1;
    void this.admission.ask({ ...message, connection: this.link.connection });
  }

  retire({ worker, reason }: Retire): void {
    const found = this.workers.find(worker); // not there: it ended by itself meanwhile
    if (found === undefined) return;
    const { process, blueprint } = found;
    this.#parts.log.info({ ...idsOf(process), retireReason: reason }, 'worker retiring');
    if (reason === 'deadline' || reason === 'protocol') {
      process.terminate('SIGTERM', LIMITS.workerGivenUpGraceMs);
    } else {
      this.workers.excuse(worker);
      process.terminate(blueprint.stopSignal, blueprint.facts.limits.stopTimeoutMs);
    }
  }

  check({ app }: Check): void {
    this.#changes.check(app);
  }

  usage({ serial }: Usage): void {
    this.#parts.tellUsage(serial);
  }

  reported(row: ReportRow): void {
    this.reports.row(row);
  }

  reloaded(message: Reloaded): void {
    this.agreement.answered(message);
  }

  // --- also for the admin ----------------------------------------------------------------------

  /** The router drains and replaces them; without a router nobody else would. */
  restart(app: string, reason: 'changed' | 'command' | 'config'): void {
    this.link.forgetFacts(app);
    this.admission.forgive(app);
    const isTold = this.link.send({ type: 'restart', app, user: '', reason, hold: false });
    if (!isTold) for (const worker of this.workers.ofApp(app)) this.terminate(worker);
  }

  /** A setting that was mended shows at the next request, not when a back-off is over. */
  forgiveAll(): void {
    this.admission.forgiveAll();
    this.link.send({ type: 'reset', app: '' });
  }

  /** The router hears of it first, because a connection that it keeps may hold the worker until it is killed. */
  terminate({ process, blueprint }: RunningWorker): void {
    this.link.send({ type: 'leaving', worker: process.id, reason: 'shutdown' });
    process.terminate(blueprint.stopSignal, blueprint.facts.limits.stopTimeoutMs);
  }

  /** At once: what runs ends, what starts is called off, what comes is refused. */
  enforceSuspension(user: string): void {
    this.admission.cancelUser(user);
    this.cleaner.cancel(user);
    this.#hold(user);
    for (const worker of this.workers.ofUser(user)) this.terminate(worker);
  }

  // --- launches and workers end ----------------------------------------------------------------

  #ground(): LaunchGround {
    const { mode, paths, cgroups, marks, logDirectories, describe, markNames, log, now, onStep } =
      this.#parts;
    return {
      routerUid: this.#parts.settings.routerUid,
      ...{ mode, paths, cgroups, marks, logDirectories, describe, markNames, log, now, onStep },
      onSpawned: (process) => this.workers.add(process),
      onEnd: (process, exit, wanted) => this.#ended(process, exit, wanted),
      onDescribed: (input, blueprint) => {
        this.link.forgetFacts(input.app); // told with every launch: the router bounds what it remembers
        this.#described(input, blueprint);
      },
    };
  }

  /** Before the program runs, so that a change which it has not seen is one that we see. */
  #described({ app, directory }: DescribeInput, blueprint: Blueprint): void {
    // What a worker that died has seen is not what this one sees.
    if (this.workers.ofApp(app).length === 0) this.#changes.forget(app);
    const names = entryNames(this.#parts.settings.config, blueprint);
    this.#changes.watch(app, { directory, entryNames: names, inodes: systemFiles(blueprint) });
    this.link.tellFacts(app, blueprint.facts);
  }

  #launched({ need, askedAtMs }: Admitted, { worker: process, blueprint, input }: Launched): void {
    const { log, now } = this.#parts;
    const worker: RunningWorker = { process, blueprint, input };
    const startMs = Math.round(now() - askedAtMs);
    this.counters.launched += 1;
    this.workers.ran(worker);
    this.starts.started(need.app);
    this.cleaner.seen(need.app.slice(0, need.app.indexOf('/')));
    this.#described(input, blueprint); // again: another launch of it may have failed meanwhile
    log.info(
      { ...idsOf(process), runtime: blueprint.runtime, durationMs: startMs },
      'worker started',
    );
    if (need.connection !== this.link.connection) {
      this.#present(worker); // whoever asked is gone; its successor may have it
      return;
    }
    const { ticket } = need;
    this.link.announce({ ...livingMessage(worker), type: 'spawned', ticket, startMs });
  }

  #refused(need: Need, why: Refusal, retryAfterMs: number): void {
    this.counters.refused += 1;
    if (why.code === 'E_PRIVDROP_VERIFY') this.counters.privilegeDropAlarms += 1;
    const { ticket, app, runtime, connection } = need;
    if (why.code === 'E_APP_UNKNOWN' && this.workers.ofApp(app).length === 0) {
      this.#changes.forget(app);
    }
    const { code } = why;
    const rule = printable(why.rule, 60);
    const detail = printable(why.detail);
    const remedy = printable(why.remedy);
    this.starts.refused(app, { ...why, rule, detail, remedy });
    if (connection !== this.link.connection) return;
    this.#parts.log.debug({ app, errorCode: code, rule, detail, remedy }, 'launch refused');
    const told = { code, rule, detail, remedy, retryAfterMs };
    this.link.send({ type: 'refused', ticket, app, runtime, ...told });
  }

  #ended(process: WorkerProcess, exit: WorkerExit, wanted: boolean): void {
    const { user, app } = process.owner;
    const inOrder = wanted && this.workers.isExcused(process.id);
    const worker = this.workers.remove(process);
    if (exit.by === 'lost') {
      this.counters.lost += 1;
      this.#parts.log.error(idsOf(process), 'worker survives kill');
    }
    if (worker === undefined) return; // never ran: the launch says what became of it
    if (exit.by === 'memory') this.counters.outOfMemory += 1;
    if (wanted) this.counters.retired += 1;
    else this.counters.crashed += 1;
    this.#parts.log.info({ ...idsOf(process), ...exitFields(exit), wanted }, 'worker gone');
    if (wanted && this.workers.ofApp(app).length === 0) this.#changes.forget(app);
    this.link.tellExit(exitMessage(worker, exit, wanted));
    this.admission.left(user, app, inOrder);
  }

  // --- the world changes -----------------------------------------------------------------------

  #routerGone(): void {
    this.reports.abandon();
    this.agreement.abandon();
    this.admission.dropWaiting();
  }

  #changed(app: string): void {
    this.counters.changesSeen += 1;
    this.#parts.log.info({ app }, 'application changed');
    this.restart(app, 'changed');
  }

  /** An account was deleted and its uid given away: what the former owner left running is his, not the new one's (R-I6). */
  #isUidHeld(user: string, uid: number): boolean {
    if (this.#parts.mode === 'self') return false; // one uid for all
    const isForeign = ({ owner }: WorkerProcess): boolean =>
      owner.uid === uid && owner.user !== user;
    const former = this.workers.running.map(({ process }) => process).find(isForeign)?.owner.user;
    if (former !== undefined) this.#identityChanged(former, `uid ${uid} belongs to ${user} now`);
    return this.workers.processes.some(isForeign);
  }

  /** Killed, not asked: whatever runs there runs as somebody who is not that user any more. */
  #identityChanged(user: string, why: string): void {
    this.counters.identityChanges += 1;
    this.#parts.log.error({ user, detail: printable(why) }, 'account changed');
    this.admission.cancelUser(user);
    this.cleaner.cancel(user);
    this.link.send({ type: 'restart', app: '', user, reason: 'identity', hold: false });
    for (const { process } of this.workers.ofUser(user)) process.kill();
  }

  #livingUsers(): ReadonlyMap<string, WorkerProcess['owner']> {
    return new Map(this.workers.running.map(({ process }) => [process.owner.user, process.owner]));
  }

  #present(worker: RunningWorker): void {
    this.link.forgetFacts(worker.process.owner.app);
    this.link.tellFacts(worker.process.owner.app, worker.blueprint.facts);
    this.link.announce(livingMessage(worker));
  }

  #hold(user: string): void {
    this.link.send({ type: 'restart', app: '', user, reason: 'suspended', hold: true });
  }
}
