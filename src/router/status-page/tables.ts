// The tables of the status page: users, applications with their workers, recent failures. What tenants chose is only ever text.
import { ERRORS, remedyOf } from '../../errors.js';
import { LIMITS } from '../../limits.js';
import { answerReason } from '../error-answer.js';
import type { RememberedFailure } from '../recent-failures.js';
import type { AppScene, Scene } from '../scene.js';
import { failuresOf, requestsOf } from './history.js';
import { html, type Content, type Html } from './html.js';
import { age, count, percent, size } from './words.js';

/** `n`: a number. */
type Column = readonly [name: string, kind: '' | 'n'];

function table(columns: readonly Column[], rows: readonly Html[]): Html {
  const heads = columns.map(([name, kind]) => html`<th scope="col" class="${kind}">${name}</th>`);
  return html`<table>
    <thead>
      <tr>
        ${heads}
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`;
}

/** On a phone each cell has its name before it. */
function row(columns: readonly Column[], cells: readonly Content[]): Html {
  const written = columns.map(
    ([name, kind], at) => html`<td class="${kind}" data-name="${name}">${cells[at] ?? ''}</td>`,
  );
  return html`<tr>
    ${written}
  </tr> `;
}

const sum = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((before, item) => before + of(item), 0);

const workersOf = ({ pools }: AppScene): number => sum(pools, ({ workers }) => workers.length);

const STATE_CLASSES: Readonly<Record<string, string>> = {
  ...{ running: 'good', ready: 'good', busy: 'good', backoff: 'bad', suspended: 'warn' },
};

/** In the words of `usherd status`. */
const stateText = (state: string): Html =>
  html`<span class="${STATE_CLASSES[state] ?? ''}"
    >${state === 'backoff' ? 'crash loop' : state}</span
  >`;

/** Of a user and of an application. */
const FIGURE_COLUMNS: readonly Column[] = [
  ['requests', 'n'],
  ['failures', 'n'],
  ['memory', 'n'],
  ['CPU', 'n'],
];

// --- users -------------------------------------------------------------------------------------

const USER_COLUMNS: readonly Column[] = [
  ['user', ''],
  ['applications', 'n'],
  ['workers', 'n'],
  ['waiting', 'n'],
  ...FIGURE_COLUMNS,
];

export function userTable(apps: readonly AppScene[]): Html {
  const byUser = new Map<string, AppScene[]>();
  for (const app of apps) byUser.set(app.user, [...(byUser.get(app.user) ?? []), app]);
  const users = [...byUser].sort(
    ([, one], [, other]) =>
      sum(other, ({ rssBytes }) => rssBytes) - sum(one, ({ rssBytes }) => rssBytes),
  );
  const rows = users
    .slice(0, LIMITS.statusRowsMaxCount)
    .map(([user, own]) =>
      row(USER_COLUMNS, [
        html`<a href="?user=${user}">${user}</a>`,
        own.length,
        count(sum(own, workersOf)),
        count(sum(own, ({ waiting }) => waiting)),
        count(sum(own, ({ figures }) => requestsOf(figures))),
        count(sum(own, ({ figures }) => failuresOf(figures))),
        size(sum(own, ({ rssBytes }) => rssBytes)),
        percent(sum(own, ({ cpuPermille }) => cpuPermille)),
      ]),
    );
  return html`${table(USER_COLUMNS, rows)}${more(users.length)}`;
}

// --- applications ------------------------------------------------------------------------------

const APP_COLUMNS: readonly Column[] = [
  ['application', ''],
  ['state', ''],
  ['workers', ''],
  ['waiting', 'n'],
  ...FIGURE_COLUMNS,
];
const WORKER_COLUMNS: readonly Column[] = [
  ...([
    ['pid', 'n'],
    ['runtime', ''],
    ['state', ''],
    ['age', 'n'],
    ['served', 'n'],
  ] as const),
  ...([
    ['memory', 'n'],
    ['CPU', 'n'],
  ] as const),
];

const TROUBLES = ['backoff', 'suspended'];
/** Troubled ones first, then those where somebody waits, then the large ones. */
const weight = ({ pools, waiting, rssBytes }: AppScene): number =>
  (pools.some(({ state }) => TROUBLES.includes(state)) ? 2 ** 50 : 0) +
  Math.min(waiting, 999) * 2 ** 40 +
  Math.min(rssBytes, 2 ** 40 - 1);

export function appTable(apps: readonly AppScene[], { usage }: Scene): Html {
  const shown = [...apps].sort((one, other) => weight(other) - weight(one));
  const rows = shown.slice(0, LIMITS.statusRowsMaxCount).map((scene) => {
    const { app, pools, waiting, figures, rssBytes, cpuPermille } = scene;
    return row(APP_COLUMNS, [
      app.id,
      pools.length === 0 ? 'idle' : pools.map(({ state }) => html`${stateText(state)} `),
      workerDetails(scene, usage),
      html`<span class="${waiting > 0 ? 'warn' : ''}">${count(waiting)}</span>`,
      count(requestsOf(figures)),
      count(failuresOf(figures)),
      size(rssBytes),
      percent(cpuPermille),
    ]);
  });
  return html`${table(APP_COLUMNS, rows)}${more(shown.length)}`;
}

function workerDetails(scene: AppScene, usage: Scene['usage']): Html {
  const total = workersOf(scene);
  if (total === 0) return html`0`;
  const rows = scene.pools.flatMap(({ runtime, workers }) =>
    workers.map(({ worker, pid, state, inFlight, ageMs, requestsServed }) => {
      const { rssBytes = 0, cpuPermille = 0 } = usage.workers.get(worker) ?? {};
      const shown = state === 'ready' && inFlight > 0 ? 'busy' : state;
      const cells = [pid, runtime, stateText(shown), age(ageMs), count(requestsServed)];
      return row(WORKER_COLUMNS, [...cells, size(rssBytes), percent(cpuPermille)]);
    }),
  );
  const { id } = scene.app;
  return html`<details id="w-${id}">
    <summary>${total} of ${scene.app.facts?.limits.maxWorkersPerApp ?? total}</summary>
    ${table(WORKER_COLUMNS, rows.slice(0, LIMITS.statusWorkersMaxCount))}
  </details>`;
}

const more = (total: number): Html =>
  total <= LIMITS.statusRowsMaxCount
    ? html``
    : html`<p>
        and ${count(total - LIMITS.statusRowsMaxCount)} more: see <code>usherd status</code>
      </p>`;

// --- failures ----------------------------------------------------------------------------------

export function failureList(failures: readonly RememberedFailure[], nowMs: number): Html {
  if (failures.length === 0) return html`<p class="good">Nothing in the last hour.</p>`;
  return html`${failures.map((it) => failure(it, nowMs))}`;
}

function failure(it: RememberedFailure, nowMs: number): Html {
  const { app, code, rule, detail, request, times, atMs } = it;
  const { meaning } = ERRORS[code];
  const many = times > 1 ? html`, ${count(times)} times` : html``;
  const last = request === '' ? html`` : html` · request <code>${request}</code>`;
  return html`<div class="failure">
    <p>
      <b>${app === '' ? 'no application' : app}</b>
      <code class="bad">${answerReason(code, rule)}</code> ${age(nowMs - atMs)} ago${many}
    </p>
    <p>${meaning}${detail === '' ? '' : `: ${detail}`}</p>
    <p>Remedy: ${remedyOf(it, app)}${last}</p>
  </div> `;
}
