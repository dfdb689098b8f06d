// "What is wrong?": everything in a status that an administrator should look at, each with its cause and what to do; pure.
import { numberOf, tableOf, tablesIn, textOf, textsIn } from './answer-fields.js';
import { remedyFor } from '../errors.js';
import type { Answer } from './control-client.js';
import { counted, formatAge } from './text-table.js';

export interface Problem {
  /** An application, a user, or usherd itself. */
  readonly where: string;
  /** In a few words. */
  readonly what: string;
  /** More about it, each on a line. */
  readonly details: readonly string[];
  readonly remedy: string;
}

/** What this very command is of: after an upgrade not always what runs. */
export interface Installed {
  readonly version: string;
  readonly protocol: number;
}

/** What the command itself knows, beside what the supervisor says. */
export interface Surroundings {
  readonly installed?: Installed;
  /** Front sockets on which nobody listens. */
  readonly deadFronts?: readonly string[];
}

/** Troubles older than this are over until they come back. */
const RECENT_MS = 300_000;

/** The most general ones first: what is wrong with usherd explains what is wrong with applications. */
export function problemsOf(
  status: Answer,
  { installed, deadFronts = [] }: Surroundings = {},
): readonly Problem[] {
  return [
    ...problemsOfUsherd(status),
    ...upgradePending(status, installed),
    ...deadFronts.map(deadFront),
    ...suspensions(status),
    ...tablesIn(status['brokenUsers']).map(brokenUser),
    ...problemsOfApps(status),
  ];
}

const deadFront = (path: string): Problem => ({
  where: 'usherd',
  what: `nobody listens on the front socket ${path}`,
  details: ['web servers cannot connect there, and answer with a 503 of their own'],
  remedy:
    'systemctl restart usherd.socket usherd-router; `usherd doctor` tries it as the web server',
});

/** What still runs as one is about to be two: a restart of the router, or its crash, would do it. */
function* upgradePending(status: Answer, installed: Installed | undefined): Iterable<Problem> {
  const { protocol } = status;
  const isTold = numberOf(tableOf(status['router'])['foreignProtocol']) > 0;
  if (installed === undefined || isTold || typeof protocol !== 'number') return;
  if (protocol === installed.protocol) return;
  yield {
    where: 'usherd',
    what: `version ${installed.version} is installed, and its router does not understand the supervisor that runs`,
    details: [
      'all is well until the router starts anew; a restart of usherd-router alone would be answered with 503',
    ],
    remedy: 'systemctl restart usherd, at a good time: every application starts anew',
  };
}

function* problemsOfUsherd(status: Answer): Iterable<Problem> {
  const where = 'usherd';
  const router = tableOf(status['router']);
  const remedy = 'journalctl -u usherd-router -n 50; systemctl status usherd-router';
  if (numberOf(router['foreignProtocol']) > 0) {
    yield {
      where,
      what: 'router and supervisor are of two versions that do not understand each other',
      details: ['no request is answered'],
      remedy: 'systemctl restart usherd, after an upgrade or its undoing',
    };
  } else if (router['connected'] !== true) {
    yield {
      where,
      what: 'the router is not connected',
      details: ['no request is answered'],
      remedy: `systemctl restart usherd-router; ${remedy}`,
    };
  } else if (router['answered'] === false) {
    const details = ['queues, requests and recent troubles are not shown'];
    const restart = `systemctl restart usherd-router if it stays so; ${remedy}`;
    yield { where, what: 'the router does not answer in time', details, remedy: restart };
  }
  yield* workersUsedUp(tableOf(status['limits']));
  const counters = tableOf(status['counters']);
  const lost = numberOf(counters['lost']);
  if (lost > 0) {
    yield {
      where,
      what: `${counted(lost, 'worker')} survived SIGKILL since the start`,
      details: [
        'a process in that state waits for the kernel, mostly for a disk or a network file system',
      ],
      remedy:
        'ps -eo pid,user,stat,wchan:30,cmd | grep " D"; look at the file system that they wait for',
    };
  }
  const alarms = numberOf(counters['privilegeDropAlarms']);
  if (alarms > 0) {
    yield {
      where,
      what: `${counted(alarms, 'privilege drop')} failed verification since the start`,
      details: ['no code of a user has run there, but this machine is not as usherd was told'],
      remedy: 'journalctl -u usherd -p crit names the fields that were not as planned',
    };
  }
}

function* workersUsedUp(limits: Answer): Iterable<Problem> {
  const [workers, max] = [numberOf(limits['workers']), numberOf(limits['maxWorkers'])];
  if (max === 0 || workers < max) return;
  yield {
    where: 'usherd',
    what: `all ${max} workers of this machine are in use`,
    details: [
      'applications without a worker have to wait until another one gives up an idle worker',
    ],
    remedy:
      'raise max_workers in [limits] if there is memory left; `usherd requests` shows who works',
  };
}

function* suspensions(status: Answer): Iterable<Problem> {
  for (const user of textsIn(status['suspended'])) {
    yield {
      where: user,
      what: 'suspended',
      details: ['every request is answered with 503'],
      remedy: `usherd resume ${user}, or take \`suspended = true\` out of the configuration`,
    };
  }
}

const brokenUser = ({ user, detail, remedy }: Answer): Problem => ({
  where: textOf(user),
  what: 'settings with a mistake: no workers, every request is answered with 503',
  details: [textOf(detail)],
  remedy: `${textOf(remedy)}; then usherd reload (\`usherd check\` lists everything)`,
});

function* problemsOfApps(status: Answer): Iterable<Problem> {
  const failures = tablesIn(status['failures']);
  const recent = failures.filter(({ ageMs }) => numberOf(ageMs) <= RECENT_MS);
  const apps = [...new Set(recent.map(({ app }) => textOf(app)))];
  for (const app of apps)
    yield* troublesOf(
      app,
      recent.filter((one) => textOf(one['app']) === app),
    );
  for (const app of tablesIn(status['apps'])) {
    const isTold = apps.includes(textOf(app['app']));
    if (!isTold || app['state'] !== 'backoff') yield* queued(app);
  }
}

/** Why the worker ended stands with what followed from it, not as a trouble of its own. */
function* troublesOf(app: string, failures: readonly Answer[]): Iterable<Problem> {
  const exit = failures.find(({ rule }) => rule === 'worker-exit');
  const others = failures.filter((failure) => failure !== exit);
  const causes = exit === undefined ? [] : [exitText(exit)];
  for (const failure of others.length === 0 && exit !== undefined ? [exit] : others) {
    const detail = textOf(failure['detail']);
    const details = [textOf(failure['meaning']), failure === exit ? '' : detail, ...causes];
    yield {
      where: app === '' ? 'requests of no application' : app,
      what: headline(failure),
      details: [...new Set(details)].filter((line) => line !== ''),
      remedy: remedyOf(app, failure),
    };
  }
}

const exitText = (exit: Answer): string => {
  const times = numberOf(exit['times']);
  const often = times > 1 ? `, and ${times - 1} before it` : '';
  return `${textOf(exit['detail'])}, ${formatAge(numberOf(exit['ageMs']))} ago${often}`;
};

function headline(failure: Answer): string {
  const rule = textOf(failure['rule']);
  const reason = rule === '' || rule === 'worker-exit' ? textOf(failure['reason']) : rule;
  const age = formatAge(numberOf(failure['ageMs']));
  const times = numberOf(failure['times']);
  return times > 1 ? `${reason} (${times} times, last ${age} ago)` : `${reason} (${age} ago)`;
}

function remedyOf(app: string, failure: Answer): string {
  const text = remedyFor(textOf(failure['remedy']), app);
  const hasLog = app !== '' && /\blog\b/.test(text);
  return hasLog ? `${text} (usherd logs ${app})` : text;
}

function* queued(app: Answer): Iterable<Problem> {
  const name = textOf(app['app']);
  const workers = tablesIn(app['workers']);
  const queue = numberOf(app['queue']);
  if (app['state'] === 'backoff') {
    yield {
      where: name,
      what: 'waits before its next start, because it kept dying',
      details: [],
      remedy: `usherd logs ${name}; a changed file or \`usherd reset ${name}\` starts it at once`,
    };
  } else if (queue > 0 && workers.length > 0) {
    const current = workers
      .map(({ currentRequest }) => textOf(currentRequest))
      .find((it) => it !== '');
    yield {
      where: name,
      what: `${counted(queue, 'request')} wait, ${counted(workers.length, 'worker')} busy`,
      details: current === undefined ? [] : [`now at ${current}`],
      remedy: `\`usherd requests ${name}\` shows them; raise max_workers_per_app, or make the application faster`,
    };
  }
}
