// The supervisor's status as a table for people. Texts in it may be a tenant's: only printable ASCII goes to the terminal.
import type { Answer } from './control-client.js';

const HEADINGS = [
  'APPLICATION',
  'UID',
  'RUNTIME',
  'STATE',
  'WORKERS',
  'QUEUE',
  'SERVED',
  'REFUSED',
  'MEMORY',
] as const;
/** Columns from here on hold numbers and are set to the right. */
const FIRST_NUMBER = HEADINGS.indexOf('WORKERS');

/** Everything that `usherd status` prints without --json. */
export function formatStatus(status: Answer): string {
  const apps = tablesIn(status['apps']);
  const lines = [summary(status, apps)];
  if (!isRouterThere(status)) lines.push('the router is not connected: no request is answered');
  const weak = weakness(tableOf(tableOf(status['isolation'])['cgroup']));
  if (weak !== undefined) lines.push(weak);
  const suspended = textsIn(status['suspended']);
  if (suspended.length > 0) lines.push(`suspended: ${suspended.join(', ')}`);
  if (apps.length > 0) lines.push('', ...formatTable([[...HEADINGS], ...apps.map(rowOf)]));
  return lines.join('\n');
}

function summary(status: Answer, apps: readonly Answer[]): string {
  const limits = tableOf(status['limits']);
  const workers = apps.reduce((sum, app) => sum + tablesIn(app['workers']).length, 0);
  const mode = status['mode'] === 'self' ? ', everything as one user' : '';
  return (
    `usherd ${cell(status['version'])}${mode}, up ${formatAge(numberOf(status['uptimeMs']))}, ` +
    `${apps.length} ${apps.length === 1 ? 'application' : 'applications'}, ` +
    `${workers} of ${cell(limits['maxWorkers'])} workers`
  );
}

/** What cgroups do not do here, so that nobody believes in a limit that nobody holds. */
function weakness(cgroup: Answer): string | undefined {
  if (cgroup['path'] === undefined) return undefined;
  if (cgroup['path'] === '') return 'no cgroups: what leaves its session outlives its worker';
  const controllers = textsIn(cgroup['controllers']);
  const missing = ['memory', 'pids'].filter((name) => !controllers.includes(name));
  if (missing.length === 0) return undefined;
  return `cgroup v2 without ${missing.join(' and ')}: ${missing.map((name) => WITHOUT[name]).join('; ')}`;
}

const WITHOUT: Readonly<Record<string, string>> = {
  memory: 'memory_max has no effect',
  pids: 'pids_max is a limit of processes only (RLIMIT_NPROC)',
};

const isRouterThere = (status: Answer): boolean => tableOf(status['router'])['connected'] === true;

function rowOf(app: Answer): string[] {
  const workers = tablesIn(app['workers']);
  const rssBytes = workers.reduce((sum, worker) => sum + numberOf(worker['rssBytes']), 0);
  return [
    cell(app['app']),
    cell(app['uid']),
    cell(app['runtime']),
    cell(app['state']),
    String(workers.length),
    cell(app['queue']),
    cell(app['served']),
    cell(app['refused']),
    `${Math.round(rssBytes / 1_048_576)}M`,
  ];
}

function formatTable(rows: readonly (readonly string[])[]): string[] {
  const widths = HEADINGS.map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((text, column) => pad(text, widths[column] ?? 0, column))
      .join('  ')
      .trimEnd(),
  );
}

const pad = (text: string, width: number, column: number): string =>
  column < FIRST_NUMBER ? text.padEnd(width) : text.padStart(width);

/** `3d 4h`, `2h 5m`, `7m 3s`: the two largest units. */
function formatAge(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ] as const;
  const first = parts.findIndex(([amount]) => amount > 0);
  if (first < 0) return '0s';
  return parts
    .slice(first, first + 2)
    .map(([amount, unit]) => `${amount}${unit}`)
    .join(' ');
}

const CELL_MAX_LENGTH = 100;

/** One value on one line, without anything that a terminal would obey. */
function cell(value: unknown): string {
  if (typeof value === 'number') return String(value);
  if (typeof value !== 'string' || value === '') return '-';
  return value.slice(0, CELL_MAX_LENGTH).replace(/[^\x20-\x7e]/g, '?');
}

const numberOf = (value: unknown): number => (typeof value === 'number' ? value : 0);

const tableOf = (value: unknown): Answer =>
  typeof value === 'object' && value !== null ? (value as Answer) : {};

const tablesIn = (value: unknown): readonly Answer[] =>
  Array.isArray(value) ? value.map(tableOf) : [];

const textsIn = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.map(cell) : [];
