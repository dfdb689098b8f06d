// The supervisor's status for people: what is wrong first, then one line for each application. Nothing of a tenant's reaches the terminal as a command.
import { numberOf, tableOf, tablesIn, textOf, textsIn } from './answer-fields.js';
import type { Answer } from './control-client.js';
import { problemsOf, type Problem, type Surroundings } from './problems.js';
import { cell, counted, formatAge, formatMiB, formatTable } from './text-table.js';

const APP_HEADINGS = [
  ...['APPLICATION', 'UID', 'RUNTIME', 'STATE'],
  ...['WORKERS', 'BUSY', 'QUEUE', 'SERVED', 'REFUSED', 'MEMORY', 'CPU'],
] as const;
const FIRST_NUMBER = APP_HEADINGS.indexOf('WORKERS');

const WORKER_HEADINGS = [...['PID', 'STATE', 'SERVED', 'MEMORY', 'CPU', 'AGE', 'REQUEST']] as const;

const LINE_MAX_LENGTH = 400;

export interface StatusView extends Surroundings {
  /** With a line for each worker. */
  readonly withWorkers: boolean;
  /** Makes the words bold that a person should see first; the identity where there is no terminal. */
  readonly bold: (text: string) => string;
}

const PLAIN: StatusView = { withWorkers: false, bold: (text) => text };

/** Everything that `usherd status` prints without --json. */
export function formatStatus(status: Answer, view: StatusView = PLAIN): string {
  const { withWorkers, bold, installed } = view;
  const apps = tablesIn(status['apps']);
  const problems = problemsOf(status, view);
  const lines = [summary(status, problems.length, installed)];
  const weak = weakness(tableOf(tableOf(status['isolation'])['cgroup']));
  if (weak !== undefined) lines.push(weak);
  for (const problem of problems) lines.push('', ...formatProblem(problem, bold));
  if (apps.length > 0) {
    lines.push('', ...formatTable([[...APP_HEADINGS], ...apps.map(rowOf)], FIRST_NUMBER));
  }
  const isolated = apps.filter((app) => app['isolation'] === 'strict');
  if (isolated.length > 0) {
    const names = isolated.map((app) => cell(app['app'])).join(', ');
    lines.push('', cell(`isolated: ${names}`, LINE_MAX_LENGTH));
  }
  if (withWorkers) lines.push(...apps.flatMap(workerLines));
  return lines.join('\n');
}

function summary(
  status: Answer,
  problemCount: number,
  installed: Surroundings['installed'],
): string {
  const apps = tablesIn(status['apps']);
  const limits = tableOf(status['limits']);
  const workers = apps.reduce((sum, app) => sum + tablesIn(app['workers']).length, 0);
  const newer =
    installed === undefined || installed.version === status['version']
      ? ''
      : ` (${installed.version} is installed)`;
  const mode = status['mode'] === 'self' ? ', everything as one user' : '';
  const verdict = problemCount === 0 ? 'nothing wrong' : counted(problemCount, 'problem');
  return (
    `usherd ${cell(status['version'])}${newer}${mode}, up ${formatAge(numberOf(status['uptimeMs']))}, ` +
    `${counted(apps.length, 'application')}, ` +
    `${workers} of ${cell(limits['maxWorkers'])} workers, ${verdict}`
  );
}

/** What cgroups do not do here, so that nobody believes in a limit that nobody holds. */
function weakness(cgroup: Answer): string | undefined {
  if (cgroup['path'] === undefined) return undefined;
  if (cgroup['path'] === '') return 'no cgroups: limits are rlimits only';
  const controllers = textsIn(cgroup['controllers']);
  const missing = ['memory', 'pids'].filter((name) => !controllers.includes(name));
  if (missing.length === 0) return undefined;
  return `cgroup v2 without ${missing.join(' and ')}: ${missing.map((name) => WITHOUT[name]).join('; ')}`;
}

const WITHOUT: Readonly<Record<string, string>> = {
  memory: 'memory_max has no effect',
  pids: 'pids_max is a limit of processes only (RLIMIT_NPROC)',
};

function formatProblem(
  { where, what, details, remedy }: Problem,
  bold: StatusView['bold'],
): string[] {
  return [
    bold(`${cell(where)}: ${cell(what, LINE_MAX_LENGTH)}`),
    ...details.map((line) => `    ${cell(line, LINE_MAX_LENGTH)}`),
    `    remedy: ${cell(remedy, LINE_MAX_LENGTH)}`,
  ];
}

function rowOf(app: Answer): string[] {
  const workers = tablesIn(app['workers']);
  const sum = (field: string): number =>
    workers.reduce((total, worker) => total + numberOf(worker[field]), 0);
  const busy = workers.filter(({ inFlight }) => numberOf(inFlight) > 0);
  return [
    ...[app['app'], app['uid'], app['runtime'], app['state']].map((value) => cell(value)),
    String(workers.length),
    String(busy.length),
    ...[app['queue'], app['served'], app['refused']].map((value) => cell(value)),
    formatMiB(sum('rssBytes')),
    `${Math.round(sum('cpuPercent'))}%`,
  ];
}

function workerLines(app: Answer): string[] {
  const workers = tablesIn(app['workers']);
  if (workers.length === 0) return [];
  const rows = workers.map((worker) => [
    cell(worker['pid']),
    cell(worker['state']),
    cell(worker['requestsServed']),
    formatMiB(numberOf(worker['rssBytes'])),
    `${Math.round(numberOf(worker['cpuPercent']))}%`,
    formatAge(numberOf(worker['ageMs'])),
    textOf(worker['currentRequest']) === '' ? '-' : cell(worker['currentRequest']),
  ]);
  return ['', `${cell(app['app'])}:`, ...formatTable([[...WORKER_HEADINGS], ...rows], 2, 5)];
}
