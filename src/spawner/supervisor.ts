// The root process of usherd: starts in the order of a checklist, answers its sockets, stops with everything it started.
import { performance } from 'node:perf_hooks';
import type { Config } from '../config/index.js';
import { UsherdError } from '../errors.js';
import { LIMITS } from '../limits.js';
import {
  assertAccountDatabase,
  assertCapabilities,
  buildPlan,
  closeInheritedDescriptors,
  findTools,
  runCanary,
  type DropPlan,
  type Mode,
} from '../privdrop/index.js';
import type { Describe } from './blueprint.js';
import type { Agreement } from './agreement.js';
import { openCgroups, type CgroupTree } from './cgroup.js';
import { DAILY, type CleanTimes } from './clean-schedule.js';
import { APP_CONTROLLERS } from './cgroup-limits.js';
import { commandDoor } from './commands.js';
import { checkDirectories, type RouterIdentity } from './directories.js';
import type { LaunchGround } from './launch-ground.js';
import type { Log } from './log-face.js';
import { LogDirectories } from './log-directories.js';
import { Marks } from './marks.js';
import { MemoryWatch } from './memory-watch.js';
import { Operations, type OperationsParts } from './operations.js';
import { assertSocketPath, runPaths, type RunPaths } from './paths.js';
import { PinnedTools } from './pinned-tools.js';
import { applyConfig } from './reloading.js';
import { printable } from './printable.js';
import { Settings } from './settings.js';
import {
  assertNobodyListens,
  publishServer,
  removeStaleSockets,
  type PublishedServer,
} from './sockets.js';
import { buildStatus, requestRows, type RequestStatus, type Status } from './status.js';
import type { VhostReader } from './vhost-watch.js';
import { UsageReader } from './usage.js';
import { UsageReport } from './usage-report.js';

export interface SupervisorOptions {
  readonly config: Config;
  readonly mode: Mode;
  readonly log: Log;
  readonly describe: Describe;
  readonly markNames: (config: Config) => readonly string[];
  /** @throws E_CONFIG_* */
  readonly loadConfig: () => Promise<Config>;
  readonly version: string;
  readonly vhosts: VhostReader;
  readonly threads: number; // of libuv in this process
  /** For tests, which cannot wait for a day. */
  readonly cleanTimes?: CleanTimes;
  /** Called between the steps of each launch; for tests. */
  readonly onLaunchStep?: LaunchGround['onStep'];
}

/** What there is between start and stop. */
interface Standing {
  readonly settings: Settings;
  readonly operations: Operations;
  readonly cgroups: CgroupTree | undefined;
  readonly servers: readonly PublishedServer[];
  readonly memory: MemoryWatch;
}

const NO_CGROUPS =
  'no cgroups: limits are rlimits, and what a worker leaves behind is found by a mark and killed';
const NO_WORKERS = 'no workers for a user whose settings have mistakes';
const RLIMITS_ONLY =
  'no controller for memory or pids: memory_max has no effect, pids_max is a limit of processes (RLIMIT_NPROC)';

const monotonicMs = (): number => performance.now();

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #usage = new UsageReader(monotonicMs);
  readonly #startedAtMs = monotonicMs();
  #standing: Standing | undefined;
  #reloading: Promise<unknown> = Promise.resolve();

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /** @throws E_STARTUP_* : then nothing was started, and nobody else's sockets were touched. */
  async start(): Promise<void> {
    const { config, mode, log } = this.#options;
    const paths = runPaths(config.paths.run);

    const closed = closeInheritedDescriptors();
    if (closed.length > 0) log.warn({ closed }, 'inherited descriptors closed');
    assertCapabilities(mode);
    if (mode === 'root') await assertAccountDatabase();
    assertPaths(paths);
    const router = checkDirectories(mode, paths, config.usersDirectory);

    // Before anything of a predecessor is cleared away: it may be alive.
    await assertNobodyListens(paths.control);
    await assertNobodyListens(paths.supervisor);

    const cgroups = await openCgroups(paths.run);
    const marks = cgroups === undefined ? new Marks(paths.run, mode, log) : undefined;
    await marks?.clear();
    const stale = removeStaleSockets(paths);
    const tools = findTools();
    const settings = new Settings({ mode, tools, router }, config);
    const canary = await canaryPlan(mode, router, settings);
    await runCanary(canary, tools);

    const pinned = new PinnedTools(tools, canary);
    const logDirectories = this.#logDirectories(router);
    const ground = { paths, settings, tools: pinned, cgroups, marks, logDirectories };
    const operations = this.#operate(ground);
    await operations.vhosts.start();
    const servers = await this.#publish(paths, router, operations, settings);
    const memory = this.#watchMemory(operations);
    this.#standing = { settings, operations, cgroups, servers, memory };
    operations.identities.start();
    memory.start();

    const cgroup = cgroups?.path ?? '';
    log.info({ mode, cgroup, controllers: cgroups?.controllers ?? [], stale }, 'supervisor ready');
    for (const [user, findings] of config.brokenUsers) log.error({ user, findings }, NO_WORKERS);
    if (cgroups === undefined) log.warn({}, NO_CGROUPS);
    else if (!APP_CONTROLLERS.every((name) => cgroups.controllers.includes(name)))
      log.warn({ controllers: cgroups.controllers }, RLIMITS_ONLY);
  }

  /** Every worker is asked to end, then killed; settles when nothing of them is left, or what is left is lost. */
  async stop(): Promise<void> {
    const standing = this.#standing;
    if (standing === undefined) return;
    this.#standing = undefined;
    const { operations, cgroups, servers, memory } = standing;
    for (const server of servers) server.close();
    operations.identities.stop();
    operations.vhosts.stop();
    memory.stop();
    operations.admission.stop();
    operations.cleaner.stop();
    for (const worker of operations.workers.running) operations.terminate(worker);
    for (const process of operations.workers.processes)
      if (!process.isRunning) process.terminate('SIGTERM', 0);

    const processes = operations.workers.processes;
    const deadline = setTimeout(() => {
      for (const process of operations.workers.processes) process.kill();
    }, LIMITS.supervisorStopMaxMs);
    await operations.workers.whenEmpty();
    clearTimeout(deadline);
    await Promise.all(processes.map((process) => process.released));
    operations.link.close();
    await cgroups?.clear();
    this.#options.log.info({ workers: processes.length }, 'supervisor stopped');
  }

  /** @throws E_CONFIG_* : then the old configuration stays, whole. */
  reload(): Promise<Agreement['kind']> {
    const turn = this.#reloading.then(() => this.#reload());
    this.#reloading = turn.catch(() => undefined); // whoever called hears of it
    return turn;
  }

  /** The router takes it over first, if it has read the same: files that are being written may be read as two. */
  async #reload(): Promise<Agreement['kind']> {
    const { loadConfig, describe, log } = this.#options;
    const config = await loadConfig();
    const { operations } = this.#standing ?? {};
    const { digest, file } = config;
    const agreement = await operations?.agreement.ask(digest, () =>
      operations.link.send({ type: 'reload', digest }),
    );
    const standing = this.#standing;
    if (standing === undefined || agreement === undefined) return 'alone';
    if (agreement.kind === 'refused') {
      const detail = `the router: ${printable(agreement.detail)}; nothing was changed`;
      throw new UsherdError('E_CONFIG_UNREADABLE', detail);
    }
    applyConfig(standing.operations, standing.settings, describe, config);
    if (agreement.kind === 'silent')
      log.error({ file }, 'router has not confirmed the configuration');
    log.info({ file }, 'configuration reloaded');
    return agreement.kind;
  }

  async status(): Promise<Status | undefined> {
    const standing = this.#standing;
    if (standing === undefined) return undefined;
    const { operations, settings, cgroups } = standing;
    const { workers, admission, link, reports } = operations;
    const [report, usages] = await Promise.all([
      reports.ask('status', (question) => link.send(question)),
      this.#usage.read(workers.running.map(({ process }) => process.programPid)),
    ]);
    const nowMs = monotonicMs();
    return buildStatus({
      version: this.#options.version,
      uptimeMs: nowMs - this.#startedAtMs,
      mode: this.#options.mode,
      nowMs,
      routerIsConnected: link.isConnected,
      routerForeignProtocol: link.foreignProtocol,
      report,
      limits: {
        maxWorkers: settings.config.maxWorkers,
        workers: admission.workerCount,
        launching: admission.launchingCount,
        waiting: admission.waitingCount,
      },
      cgroup: { path: cgroups?.path ?? '', controllers: cgroups?.controllers ?? [] },
      suspended: operations.suspensions.all(settings.config),
      brokenUsers: settings.config.brokenUsers,
      running: workers.running,
      usages,
      counters: operations.counters,
    });
  }

  /** @throws E_CONTROL if the router is away: only it knows. */
  async requests(): Promise<{ readonly requests: readonly RequestStatus[] }> {
    const { link, reports } = this.#standing?.operations ?? {};
    const report = await reports?.ask('requests', (question) => link?.send(question) ?? false);
    if (report === undefined)
      throw new UsherdError('E_CONTROL', 'the router does not answer: `usherd status` says more');
    return { requests: requestRows(report) };
  }

  #logDirectories(router: RouterIdentity): LogDirectories | undefined {
    const { config, mode, log } = this.#options;
    if (mode === 'self') return undefined;
    const directory = config.paths.log; // the router, too, keeps the one it started with
    return new LogDirectories({ directory, router, log, now: monotonicMs });
  }

  #operate(
    parts: Pick<
      OperationsParts,
      'paths' | 'settings' | 'tools' | 'cgroups' | 'marks' | 'logDirectories'
    >,
  ): Operations {
    const { mode, onLaunchStep, cleanTimes = DAILY } = this.#options;
    const onStep = onLaunchStep ?? ((): void => undefined);
    const now = monotonicMs;
    const tellUsage = (serial: number): void => void report.tell(serial);
    const own = { onStep, cleanTimes, now, tellUsage };
    const operations = new Operations({ ...this.#options, ...parts, ...own });
    const { settings, cgroups } = parts;
    const report = new UsageReport({
      ...{ operations, mode, now, usage: this.#usage, startedAtMs: this.#startedAtMs },
      hasCgroups: cgroups !== undefined,
      maxWorkers: () => settings.config.maxWorkers,
      suspended: () => operations.suspensions.all(settings.config).length,
    });
    return operations;
  }

  #watchMemory({ workers, link }: Operations): MemoryWatch {
    return new MemoryWatch({
      running: () => workers.running,
      read: (pids) => this.#usage.read(pids),
      onGrown: ({ process }, rssBytes) => {
        const { id, pid, owner } = process;
        const isTold = link.send({ type: 'leaving', worker: id, reason: 'memory' });
        const fields = { app: owner.app, worker: id, workerPid: pid, rssBytes, isTold };
        this.#options.log.debug(fields, 'worker over recycle_memory');
      },
    });
  }

  async #publish(
    paths: RunPaths,
    router: RouterIdentity,
    operations: Operations,
    settings: Settings,
  ): Promise<readonly PublishedServer[]> {
    const { mode, version, log } = this.#options;
    const status = async (): Promise<object> => (await this.status()) ?? {};
    const requests = (): Promise<object> => this.requests();
    const commands = {
      ...{ operations, settings, version, status, requests },
      reload: () => this.reload(),
    };
    const door = commandDoor(commands, log);
    const control = await publishServer(paths.control, {}, door);
    control.server.maxConnections = 2 * LIMITS.controlConnectionsMaxCount; // half of them only to be told
    try {
      const access = mode === 'root' ? { gid: router.gid } : {};
      const link = await publishServer(paths.supervisor, access, (socket) => {
        operations.link.accept(socket);
      });
      return [control, link];
    } catch (err) {
      control.close();
      throw err;
    }
  }
}

/** @throws E_STARTUP_SOCKET */
function assertPaths(paths: RunPaths): void {
  const worker = `${paths.workers}/${'0'.repeat(16)}.sock`;
  for (const path of [paths.supervisor, paths.control, paths.log, worker]) assertSocketPath(path);
}

/** Whom the trial drop becomes: the router, who has nothing to lose, or whoever we are and stay. */
async function canaryPlan(
  mode: Mode,
  router: RouterIdentity,
  settings: Settings,
): Promise<DropPlan> {
  const options = { mode, noNewPrivileges: true, processes: 0 };
  const self = mode === 'self' ? await settings.accounts.lookup('self') : undefined;
  if (self?.ok === true) return buildPlan(self.account, options);
  const account = { name: 'router', ...router, home: '/', groups: [], hasOwnGroup: false } as const;
  return buildPlan({ ...account, source: 'config' }, options);
}
