// Every metric: its name, what it means, and how its values are read. docs/metrics.md and conf.example name them; tests compare.
import { ERRORS, type ErrorCode } from '../../errors.js';
import type { Histogram } from '../figures.js';
import type { AppScene, Scene } from '../scene.js';
import type { Group, Labels } from './groups.js';

export interface Value {
  readonly labels: Labels;
  /** Those of the group, in one object for all of its values: prom-client formats it once. */
  readonly sharedLabels?: Labels;
  readonly value: number;
  /** Where it is not that of the family. */
  readonly metricName?: string;
}

export interface Family {
  /** Without the `_total` that OpenMetrics puts behind counters. */
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
}

/** Read for each group: application, user, or all. */
export interface GroupFamily extends Family {
  readonly values: (group: Group) => Iterable<Value>;
}

/** Read once. */
export interface MachineFamily extends Family {
  readonly value: (scene: Scene) => number | undefined;
}

const MS_PER_S = 1_000;
const PERMILLE = 1_000;

const NO_LABELS: Labels = {};

/** The labels of a value that has those of its group alone. */
const own = (labels: Labels): { readonly labels: Labels; readonly sharedLabels: Labels } => ({
  labels: NO_LABELS,
  sharedLabels: labels,
});

/** What is zero is left out where it is one of many: most never happen. */
function* counted(
  { labels }: Group,
  name: string,
  counts: Iterable<readonly [string, number]>,
): Generator<Value> {
  for (const [key, value] of counts) {
    yield { labels: { [name]: key }, sharedLabels: labels, value };
  }
}

const reasonOf = (code: ErrorCode): string => ERRORS[code].reason || code;

/** Several codes may have one reason. */
function byReason(counts: ReadonlyMap<ErrorCode, number>): Iterable<readonly [string, number]> {
  const sums = new Map<string, number>();
  for (const [code, times] of counts) {
    sums.set(reasonOf(code), (sums.get(reasonOf(code)) ?? 0) + times);
  }
  return sums;
}

function* buckets(name: string, { labels }: Group, histogram: Histogram): Generator<Value> {
  if (histogram.isEmpty) return;
  const bucket = `${name}_bucket`;
  let sum = 0;
  for (const [at, count] of histogram.counts.entries()) {
    sum += count;
    const boundMs = histogram.boundsMs[at];
    const le = boundMs === undefined ? '+Inf' : String(boundMs / MS_PER_S);
    yield { labels: { le }, sharedLabels: labels, value: sum, metricName: bucket };
  }
  yield { ...own(labels), value: histogram.sumMs / MS_PER_S, metricName: `${name}_sum` };
  yield { ...own(labels), value: sum, metricName: `${name}_count` };
}

/** Of applications that have a pool: the others have nothing to say. */
function* summed({ labels, apps }: Group, of: (app: AppScene) => number): Generator<Value> {
  const active = apps.filter(({ pools }) => pools.length > 0);
  if (active.length === 0) return;
  let value = 0;
  for (const app of active) value += of(app);
  yield { ...own(labels), value };
}

function* workersByState({ labels, apps }: Group): Generator<Value> {
  const states = new Map<string, number>();
  for (const { pools } of apps) {
    for (const { workers } of pools) {
      for (const { state, inFlight } of workers) {
        const shown = state === 'ready' && inFlight > 0 ? 'busy' : state;
        states.set(shown, (states.get(shown) ?? 0) + 1);
      }
    }
  }
  for (const [state, value] of states) {
    yield { labels: { state }, sharedLabels: labels, value };
  }
}

const has = ({ pools }: AppScene, wanted: string): number =>
  pools.some(({ state }) => state === wanted) ? 1 : 0;

const DURATION = 'usherd_request_duration_seconds';
const WAIT = 'usherd_request_wait_seconds';

/** Those of which each application has its own. */
export const GROUP_FAMILIES: readonly GroupFamily[] = [
  {
    name: 'usherd_requests',
    type: 'counter',
    help: 'Requests that are over, by the first digit of their status; left: the client went away.',
    values: (group) => counted(group, 'status', group.figures.statuses()),
  },
  {
    name: 'usherd_request_failures',
    type: 'counter',
    help: 'Requests that usherd answered in place of the application, by X-Usherd-Reason.',
    values: (group) => counted(group, 'reason', byReason(group.figures.failures)),
  },
  {
    name: 'usherd_response_bytes',
    type: 'counter',
    help: 'Bytes of bodies that applications sent.',
    values: ({ labels, figures }) => [{ ...own(labels), value: figures.responseBytes }],
  },
  {
    name: DURATION,
    type: 'histogram',
    help: 'From the first byte of the request to the end of its answer.',
    values: (group) => buckets(DURATION, group, group.figures.duration),
  },
  {
    name: WAIT,
    type: 'histogram',
    help: 'Before a worker had the request: its body, the queue, the start of a worker.',
    values: (group) => buckets(WAIT, group, group.figures.wait),
  },
  {
    name: 'usherd_queue_length',
    type: 'gauge',
    help: 'Requests that wait for a worker; without a name those whose application nobody has looked for yet.',
    values: ({ labels, apps, waiting }) =>
      waiting > 0 || apps.some(({ pools }) => pools.length > 0)
        ? [{ ...own(labels), value: waiting }]
        : [],
  },
  {
    name: 'usherd_queue_length_limit',
    type: 'gauge',
    help: 'How many may wait.',
    values: (group) => summed(group, ({ app }) => app.facts?.limits.queueLength ?? 0),
  },
  {
    name: 'usherd_workers',
    type: 'gauge',
    help: 'Workers by state; busy: ready, and at work.',
    values: workersByState,
  },
  {
    name: 'usherd_workers_limit',
    type: 'gauge',
    help: 'How many workers it may have.',
    values: (group) => summed(group, ({ app }) => app.facts?.limits.maxWorkersPerApp ?? 0),
  },
  {
    name: 'usherd_worker_starts',
    type: 'counter',
    help: 'Workers that were started.',
    values: ({ labels, figures }) => [{ ...own(labels), value: figures.starts }],
  },
  {
    name: 'usherd_worker_start_seconds',
    type: 'counter',
    help: 'Time that these starts took together.',
    values: ({ labels, figures }) => [{ ...own(labels), value: figures.startMs / MS_PER_S }],
  },
  {
    name: 'usherd_worker_start_refusals',
    type: 'counter',
    help: 'Starts that were refused, by reason.',
    values: (group) => counted(group, 'reason', byReason(group.figures.startRefusals)),
  },
  {
    name: 'usherd_worker_exits',
    type: 'counter',
    help: 'Workers that ended, by reason; code, signal, out-of-memory: not because usherd asked.',
    values: (group) => counted(group, 'reason', group.figures.exits),
  },
  {
    name: 'usherd_backoff',
    type: 'gauge',
    help: 'Applications that are not started for a while, because they crash.',
    values: (group) => summed(group, (app) => has(app, 'backoff')),
  },
  {
    name: 'usherd_suspended',
    type: 'gauge',
    help: 'Applications of suspended users.',
    values: (group) => summed(group, (app) => has(app, 'suspended')),
  },
  {
    name: 'usherd_memory_bytes',
    type: 'gauge',
    help: 'Resident memory of workers.',
    values: (group) => summed(group, ({ rssBytes }) => rssBytes),
  },
  {
    name: 'usherd_memory_limit_bytes',
    type: 'gauge',
    help: 'memory_max; 0: no limit.',
    values: (group) => summed(group, ({ app }) => app.facts?.limits.memoryMaxBytes ?? 0),
  },
  {
    name: 'usherd_cpu_ratio',
    type: 'gauge',
    help: 'Processor time of workers; 1 is one whole processor.',
    values: (group) => summed(group, ({ cpuPermille }) => cpuPermille / PERMILLE),
  },
];

const machine = (
  name: string,
  type: 'counter' | 'gauge',
  help: string,
  value: MachineFamily['value'],
): MachineFamily => ({ name: `usherd_${name}`, type, help, value });

/** Of the machine as a whole. */
// prettier-ignore
export const MACHINE_FAMILIES: readonly MachineFamily[] = [
  machine('supervisor_up', 'gauge', '1 while the supervisor answers the router.', (s) => (s.usage.machine === undefined ? 0 : 1)),
  machine('supervisor_uptime_seconds', 'gauge', 'Since the start of the supervisor.', (s) => seconds(s.usage.machine?.uptimeMs)),
  machine('machine_workers', 'gauge', 'Workers of all users, those that start or stop among them.', (s) => s.usage.machine?.workers),
  machine('machine_workers_limit', 'gauge', 'max_workers.', (s) => s.usage.machine?.maxWorkers),
  machine('launches', 'gauge', 'Workers that are being started.', (s) => s.usage.machine?.launching),
  machine('launches_waiting', 'gauge', 'Workers that wait for their start.', (s) => s.usage.machine?.waiting),
  machine('workers_crashed', 'counter', 'Workers that ended by themselves, since the start of the supervisor.', (s) => s.usage.machine?.crashed),
  machine('workers_lost', 'counter', 'Workers that survived SIGKILL: somebody has to look.', (s) => s.usage.machine?.lost),
  machine('privilege_drop_alarms', 'counter', 'Launches whose privileges were not what they should be: somebody has to look.', (s) => s.usage.machine?.privilegeDropAlarms),
  machine('users_suspended', 'gauge', 'Users who are suspended.', (s) => s.usage.machine?.suspended),
  machine('applications', 'gauge', 'Applications that the router knows.', (s) => s.apps.length),
  machine('front_connections', 'gauge', 'Connections of web servers.', (s) => s.counters.frontConnections),
  machine('front_connections_limit', 'gauge', 'connections_max.', (s) => s.connectionsMax),
  machine('front_connections_refused', 'counter', 'Connections beyond connections_max, closed at once.', (s) => s.counters.connectionsRefused),
  machine('requests_active', 'gauge', 'Requests that are not over.', (s) => s.counters.requestsActive),
  machine('requests_begun', 'counter', 'Requests that web servers began.', (s) => s.counters.requestsTotal),
  machine('protocol_errors', 'counter', 'Connections of web servers that broke FastCGI.', (s) => s.counters.protocolErrors),
  machine('retries', 'counter', 'Requests that went to another worker.', (s) => s.counters.retries),
  machine('buffered_bytes', 'gauge', 'Answers in memory that web servers have not taken yet.', (s) => s.bufferedBytes),
  machine('spooled_bytes', 'gauge', 'Request bodies, and answers that web servers have not taken yet, on disk.', (s) => s.spooledBytes),
  machine('router_uptime_seconds', 'gauge', 'Since the start of the router.', () => process.uptime()),
  machine('router_memory_bytes', 'gauge', 'Resident memory of the router.', () => process.memoryUsage.rss()),
  machine('router_cpu_seconds', 'counter', 'Processor time of the router.', () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  }),
];

const seconds = (ms: number | undefined): number | undefined =>
  ms === undefined ? undefined : ms / MS_PER_S;
