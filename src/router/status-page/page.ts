// The status page as HTML: what is wrong first, then numbers, charts and tables. It can be looked at, and nothing else.
import { LIMITS } from '../../limits.js';
import type { MachineFigures } from '../../ipc/index.js';
import type { RememberedFailure } from '../recent-failures.js';
import { waitingIn, type Scene } from '../scene.js';
import { chart } from './chart.js';
import type { History, SeriesName } from './history.js';
import { html, type Html } from './html.js';
import { appTable, failureList, userTable } from './tables.js';
import { age, count, duration, rate, size } from './words.js';

export interface PageInput {
  readonly scene: Scene;
  readonly history: History;
  readonly failures: readonly RememberedFailure[];
  readonly nowMs: number;
  readonly version: string;
  /** Only this user's; undefined: everybody's. */
  readonly user: string | undefined;
}

export function statusPage(input: PageInput): string {
  const { user, version, scene } = input;
  const title = user === undefined ? 'usherd' : `usherd: ${user}`;
  const machine = scene.usage.machine;
  const up =
    machine === undefined ? 'the supervisor does not answer' : `up ${age(machine.uptimeMs)}`;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <title>${title}</title>
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <link rel="stylesheet" href="?style" />
        <noscript><meta http-equiv="refresh" content="10" /></noscript>
        <script src="?script" defer></script>
      </head>
      <body>
        <header>
          <h1>${title}</h1>
          <p>
            ${version}, <span class="${machine === undefined ? 'bad' : ''}">${up}</span> ·
            <span id="live">again every 10 s</span>
          </p>
        </header>
        <main>${parts(input)}</main>
      </body>
    </html> `.text;
}

function parts({ scene, history, failures, nowMs, user }: PageInput): Html {
  const apps = user === undefined ? scene.apps : scene.apps.filter((it) => it.user === user);
  const own =
    user === undefined ? failures : failures.filter(({ app }) => app.startsWith(`${user}/`));
  const users = html`<section>
    <h2>Users</h2>
    ${userTable(apps)}
  </section>`;
  const whole = html`${tiles(scene)}${charts(history)}`;
  return html`${user === undefined ? whole : html`<p><a href="?">everybody</a></p>`}
    <section>
      <h2>Recent failures</h2>
      ${failureList(own, nowMs)}
    </section>
    <section>
      <h2>Applications</h2>
      ${appTable(apps, scene)}
    </section>
    ${user === undefined ? users : html``}`;
}

function tiles(scene: Scene): Html {
  const { counters, usage, apps, connectionsMax, bufferedBytes, spooledBytes } = scene;
  const { machine } = usage;
  const waiting = waitingIn(scene);
  const memory = apps.reduce((sum, app) => sum + app.rssBytes, 0);
  const { workers, suspended, alarms } = machineWords(machine);
  const tile = (name: string, value: string, kind = ''): Html =>
    html`<p class="tile"><span>${name}</span><b class="${kind}">${value}</b></p>`;
  return html`<div class="tiles">
    ${tile('requests now', count(counters.requestsActive))}
    ${tile('waiting', count(waiting), waiting > 0 ? 'warn' : '')} ${tile('workers', workers)}
    ${tile('memory of workers', size(memory))}
    ${tile('front connections', `${count(counters.frontConnections)} of ${count(connectionsMax)}`)}
    ${tile('answers in memory', size(bufferedBytes))}
    ${tile('bodies, answers on disk', size(spooledBytes))}
    ${tile('suspended users', count(suspended), suspended > 0 ? 'warn' : '')}
    ${tile('alarms', count(alarms), alarms > 0 ? 'bad' : 'good')}
  </div>`;
}

/** What only the supervisor knows. */
function machineWords(machine: MachineFigures | undefined): {
  readonly workers: string;
  readonly suspended: number;
  readonly alarms: number;
} {
  if (machine === undefined) return { workers: '?', suspended: 0, alarms: 0 };
  const { workers, maxWorkers, suspended, lost, privilegeDropAlarms } = machine;
  return { workers: `${workers} of ${maxWorkers}`, suspended, alarms: lost + privilegeDropAlarms };
}

function charts(history: History): Html {
  const draw = (name: SeriesName, title: string, format: (value: number) => string): Html =>
    chart({
      title,
      format,
      values: history.series(name),
      samplesMaxCount: LIMITS.historySamplesCount,
    });
  return html`<div class="charts">
    ${draw('requestsPerS', 'requests', rate)} ${draw('failuresPerS', 'failures', rate)}
    ${draw('slowMs', '95 % faster than', duration)}
    ${draw('waiting', 'waiting', (value) => count(Math.round(value)))}
    ${draw('workers', 'workers', (value) => count(Math.round(value)))}
    ${draw('busy', 'busy workers', (value) => count(Math.round(value)))}
  </div>`;
}
