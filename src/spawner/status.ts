// What `usherd status` shows: the supervisor's own knowledge with the router's and the kernel's figures beside it; pure.
import { ERRORS, isErrorCode, type Finding } from '../errors.js';
import { IPC_PROTOCOL } from '../ipc/index.js';
import type { Mode } from '../privdrop/index.js';
import { refusalBy } from './blueprint.js';
import type { CgroupStatus } from './cgroup.js';
import type { Counters } from './counters.js';
import { printable } from './printable.js';
import type { RouterReport } from './router-report.js';
import type { Usage } from './usage.js';
import type { RunningWorker } from './workers.js';

export interface StatusInput {
  readonly version: string;
  readonly uptimeMs: number;
  readonly mode: Mode;
  readonly nowMs: number;
  readonly routerIsConnected: boolean;
  /** Of a router that is shown out because of it; else 0. */
  readonly routerForeignProtocol: number;
  /** Undefined if the router is away or did not answer in time. */
  readonly report: RouterReport | undefined;
  readonly limits: {
    readonly maxWorkers: number;
    readonly workers: number;
    readonly launching: number;
    readonly waiting: number;
  };
  readonly cgroup: CgroupStatus;
  readonly suspended: readonly string[];
  readonly brokenUsers: ReadonlyMap<string, readonly Finding[]>;
  readonly running: readonly RunningWorker[];
  readonly usages: ReadonlyMap<number, Usage>;
  readonly counters: Counters;
}

export interface WorkerStatus {
  readonly id: string;
  readonly pid: number;
  readonly state: string;
  readonly requestsServed: number;
  readonly inFlight: number;
  readonly rssBytes: number;
  readonly cpuPercent: number;
  readonly ageMs: number;
  readonly currentRequest: string;
}

export interface AppStatus {
  readonly app: string;
  readonly user: string;
  /** null while no worker of it lives: then nobody has looked the account up. */
  readonly uid: number | null;
  readonly runtime: string;
  readonly state: string;
  /** null while no worker of it lives. */
  readonly isolation: 'none' | 'strict' | null;
  readonly queue: number;
  readonly served: number;
  readonly refused: number;
  readonly workers: readonly WorkerStatus[];
}

/** Something that went wrong lately, with what it means and what to do. */
export interface FailureStatus {
  /** '' where no application was found. */
  readonly app: string;
  readonly code: string;
  readonly reason: string;
  readonly rule: string;
  readonly detail: string;
  readonly meaning: string;
  readonly remedy: string;
  /** Name of the last request that met it, as in the logs. */
  readonly request: string;
  readonly ageMs: number;
  readonly times: number;
}

export interface RequestStatus {
  readonly app: string;
  readonly request: string;
  readonly state: string;
  readonly worker: string;
  readonly ageMs: number;
  readonly line: string;
}

/** A user of whom the configuration says something wrong; he has no workers. */
export interface BrokenUserStatus {
  readonly user: string;
  readonly detail: string;
  readonly remedy: string;
}

export interface Status {
  readonly version: string;
  /** What a router has to speak that this supervisor is to understand. */
  readonly protocol: number;
  readonly uptimeMs: number;
  readonly mode: Mode;
  readonly router: {
    readonly connected: boolean;
    readonly answered: boolean;
    readonly foreignProtocol: number;
  };
  readonly limits: StatusInput['limits'];
  readonly isolation: { readonly cgroup: CgroupStatus };
  readonly suspended: readonly string[];
  /** With the first mistake of each. */
  readonly brokenUsers: readonly BrokenUserStatus[];
  readonly apps: readonly AppStatus[];
  /** Newest first. */
  readonly failures: readonly FailureStatus[];
  readonly counters: Counters;
}

const NO_FIGURES = { queue: 0, served: 0, refused: 0 } as const;
const IDLE = { requestsServed: 0, inFlight: 0, currentRequest: '' } as const;
const NO_USAGE: Usage = { rssBytes: 0, cpuPercent: 0 };

export function buildStatus(input: StatusInput): Status {
  const { version, uptimeMs, mode, limits, cgroup, suspended, counters } = input;
  return {
    version,
    protocol: IPC_PROTOCOL,
    uptimeMs: Math.round(uptimeMs),
    mode,
    router: {
      ...routerFigures(input.report),
      connected: input.routerIsConnected,
      foreignProtocol: input.routerForeignProtocol,
    },
    limits,
    isolation: { cgroup },
    suspended,
    brokenUsers: brokenUsers(input),
    apps: apps(input),
    failures: (input.report?.failures ?? []).map(failureStatus),
    counters: { ...counters },
  };
}

const brokenUsers = (input: StatusInput): readonly BrokenUserStatus[] =>
  Array.from(input.brokenUsers, ([user, findings]) => {
    const { detail, remedy } = refusalBy('E_SETTINGS_INVALID', findings);
    return { user, detail: printable(detail), remedy: printable(remedy) };
  });

function failureStatus(row: RouterReport['failures'][number]): FailureStatus {
  const { app, rule, request, ageMs, times } = row;
  const code = isErrorCode(row.code) ? row.code : 'E_START_FAILED';
  const { reason, meaning } = ERRORS[code];
  const [detail, told] = [printable(row.detail), printable(row.remedy)];
  const remedy = told === '' ? ERRORS[code].remedy : told;
  return { app, code, reason, rule, detail, meaning, remedy, request, ageMs, times };
}

/** What `usherd requests` shows: everything that is not answered yet, the oldest first. */
export const requestRows = (report: RouterReport): readonly RequestStatus[] =>
  report.requests.map(({ app, request, state, worker, ageMs, line }) => ({
    ...{ app, request, state, worker, ageMs },
    line: printable(line, 200),
  }));

function routerFigures(report: RouterReport | undefined): { answered: boolean } {
  if (report?.router === undefined) return { answered: report !== undefined };
  const { frontConnections, requestsActive, requestsWaiting, requestsTotal } = report.router;
  const { bufferedBytes, spooledBytes } = report.router;
  const requests = { requestsActive, requestsWaiting, requestsTotal };
  return Object.assign(
    { answered: true },
    { frontConnections, bufferedBytes, spooledBytes },
    requests,
  );
}

/** One row for an application and runtime: those that have workers, and those that the router speaks of. */
function apps(input: StatusInput): readonly AppStatus[] {
  const parts = new Map<string, AppParts>();
  const partsOf = (app: string, runtime: string): AppParts => {
    const key = `${app} ${runtime}`;
    const found = parts.get(key) ?? { app, runtime, own: [], row: undefined };
    parts.set(key, found);
    return found;
  };
  for (const worker of input.running) {
    partsOf(worker.process.owner.app, worker.blueprint.runtime).own.push(worker);
  }
  for (const row of input.report?.apps ?? []) partsOf(row.app, row.runtime).row ??= row;
  const reported = new Map(input.report?.workers.map((row) => [row.worker, row]));
  const sorted = [...parts].sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.map(([, part]) => appStatus(input, part, reported));
}

interface AppParts {
  readonly app: string;
  readonly runtime: string;
  readonly own: RunningWorker[];
  row: RouterReport['apps'][number] | undefined;
}

type WorkerRows = ReadonlyMap<string, RouterReport['workers'][number]>;

function appStatus(input: StatusInput, parts: AppParts, reported: WorkerRows): AppStatus {
  const { app, runtime, own } = parts;
  const { state, queue, served, refused } = parts.row ?? {
    ...NO_FIGURES,
    state: own.length > 0 ? 'running' : 'idle',
  };
  return {
    app,
    user: app.slice(0, app.indexOf('/')),
    uid: own[0]?.process.owner.uid ?? null,
    isolation: isolationOf(own[0]),
    ...{ runtime, state, queue, served, refused },
    workers: own.map((worker) => workerStatus(input, worker, reported)),
  };
}

const isolationOf = (worker: RunningWorker | undefined): AppStatus['isolation'] => {
  if (worker === undefined) return null;
  return worker.blueprint.walls === undefined ? 'none' : 'strict';
};

function workerStatus(
  input: StatusInput,
  { process }: RunningWorker,
  reported: WorkerRows,
): WorkerStatus {
  const row = reported.get(process.id);
  const { state, requestsServed, inFlight, currentRequest } = row ?? {
    ...IDLE,
    state: process.state,
  };
  const { rssBytes, cpuPercent } = input.usages.get(process.programPid) ?? NO_USAGE;
  const ageMs = Math.round(input.nowMs - process.startedAtMs);
  return {
    ...{ id: process.id, pid: process.pid, state, requestsServed, inFlight },
    ...{ rssBytes, cpuPercent, ageMs },
    currentRequest: printable(currentRequest, 200),
  };
}
