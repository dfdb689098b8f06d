// The parts of the status page: escaping, rings, and a page that shows hostile names as text.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '../../../src/log.js';
import { Figures } from '../../../src/router/figures.js';
import { chart } from '../../../src/router/status-page/chart.js';
import { History } from '../../../src/router/status-page/history.js';
import { StatusPage } from '../../../src/router/status-page/index.js';
import { html } from '../../../src/router/status-page/html.js';
import { statusPage } from '../../../src/router/status-page/page.js';
import { age, count, size } from '../../../src/router/status-page/words.js';
import type { Scene } from '../../../src/router/scene.js';
import { waitFor } from '../../support/wait-for.js';

const OUTCOME = { status: 200, bodyBytes: 1, waitMs: 1, durationMs: 40, code: undefined };

test('what is put into a template is text, what is HTML already is not escaped again', () => {
  const hostile = `<script>alert("1")</script>&'`;
  const cell = html`<td title="${hostile}">${hostile}</td>`;
  assert.equal(
    cell.text,
    '<td title="&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;">' +
      '&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;</td>',
  );
  assert.equal(html`${cell}`.text, cell.text);
  assert.equal(html`${[cell, cell]}${7}`.text, `${cell.text}${cell.text}7`);
});

test('control characters and marks that turn the direction of text are shown as dots', () => {
  assert.equal(html`${'a\u0000b\u202ec\u2066d\u2028e\ud800'}`.text, 'a·b·c·d·e·');
});

test('a history keeps the newest, oldest first, and counts what grew between two samples', () => {
  const history = new History({ intervalMs: 10_000, samplesMaxCount: 3 });
  const figures = (requests: number): Figures => {
    const made = new Figures();
    for (let times = 0; times < requests; times += 1) made.ended(OUTCOME);
    return made;
  };
  for (const [at, requests] of [0, 10, 30, 60, 100].entries()) {
    history.sample({ figures: figures(requests), waiting: at, workers: 1, busy: 0 }, at * 10_000);
  }
  assert.deepEqual(history.series('requestsPerS'), [2, 3, 4]);
  assert.deepEqual(history.series('waiting'), [2, 3, 4]);
  assert.deepEqual(history.series('slowMs'), [50, 50, 50]);
  // An application that was forgotten takes its counts along: nothing negative is shown.
  history.sample({ figures: figures(0), waiting: 0, workers: 0, busy: 0 }, 50_000);
  assert.equal(history.series('requestsPerS').at(-1), 0);
});

test('a missed sample is a gap in the chart, and not a line across it', () => {
  const history = new History({ intervalMs: 10_000, samplesMaxCount: 6 });
  const sample = (atS: number, waiting: number): void =>
    history.sample({ figures: new Figures(), waiting, workers: 0, busy: 0 }, atS * 1_000);
  // The third comes late, but comes; two are missing before the fourth.
  sample(0, 1);
  sample(10, 2);
  sample(24, 3);
  sample(50, 4);
  assert.deepEqual(history.series('waiting'), [2, 3, NaN, NaN, 4]);
  assert.deepEqual(history.series('requestsPerS'), [0, 0, NaN, NaN, 0]);
  const { text } = chart({
    ...{ title: 'waiting', values: history.series('waiting'), samplesMaxCount: 6 },
    format: String,
  });
  const lines = [...text.matchAll(/points="([^"]*)"/g)].map(([, points]) => points);
  assert.deepEqual(lines, ['48.0,24.0 96.0,13.0', '240.0,2.0 240.0,2.0']);
  assert.match(text, /now 4, in the last hour at most 4; 2 of 5 samples are missing/);
  assert.doesNotMatch(text, /NaN/);
  // A night without samples leaves none of the evening's.
  sample(40_000, 5);
  assert.deepEqual(history.series('waiting'), [NaN, NaN, NaN, NaN, NaN, 5]);
});

test('numbers are in the largest unit that fits', () => {
  assert.deepEqual([0, 999, 61_000, 7_200_000, 90_000_000].map(age), [
    '0 s',
    '0 s',
    '1 min',
    '2 h',
    '1 d',
  ]);
  assert.deepEqual([0, 5 * 2 ** 20, 3 * 2 ** 29].map(size), ['0 MiB', '5 MiB', '1.5 GiB']);
  assert.equal(count(1_234_567), '1\u202f234\u202f567');
});

const EMPTY: Scene = {
  ...{
    apps: [],
    elsewhere: new Figures(),
    waitingElsewhere: 0,
    bufferedBytes: 0,
    spooledBytes: 0,
    connectionsMax: 8,
  },
  counters: {
    ...{ frontConnections: 0, connectionsRefused: 0, requestsActive: 0 },
    ...{ requestsTotal: 0, protocolErrors: 0, retries: 0 },
  },
  usage: { workers: new Map(), machine: undefined },
};

test('what a tenant chose is never markup, and the page has no style or script of its own', () => {
  const page = statusPage({
    scene: EMPTY,
    history: new History(),
    failures: [
      {
        ...{ app: 'alice/blog', code: 'E_ACCESS_REFUSED', rule: '"><img src=x onerror=alert(1)>' },
        ...{ detail: '</p><script>alert(1)</script>', remedy: '<script>', request: '<b>' },
        ...{ atMs: 0, times: 2 },
      },
    ],
    nowMs: 60_000,
    version: '1',
    user: undefined,
  });
  assert.doesNotMatch(page, /<img|onerror=|<script>|<b>[^<]*<b>|style=/);
  assert.match(page, /&lt;script&gt;alert\(1\)/);
  assert.match(page, /the supervisor does not answer/);
});

test('a remedy names the application and the user that it is about', () => {
  const failure = (code: 'E_CRASH_LOOP' | 'E_SUSPENDED', app: string) =>
    ({ app, code, rule: '', detail: '', remedy: '', request: '', atMs: 0, times: 1 }) as const;
  const failures = [failure('E_CRASH_LOOP', 'alice/blog'), failure('E_SUSPENDED', 'bob/shop')];
  const input = { scene: EMPTY, history: new History(), nowMs: 0, version: '1', user: undefined };
  const page = statusPage({ ...input, failures });
  assert.match(page, /usherd reset alice\/blog/);
  assert.match(page, /usherd resume bob/);
});

test('a sample that cannot be taken is told, and the next one is tried', async (t) => {
  let asked = 0;
  const page = new StatusPage({
    log: createLogger('fatal', 'router'),
    version: '1',
    scene: () => Promise.resolve(EMPTY),
    failures: () => [],
    sampleIntervalMs: 1,
  });
  t.after(() => page.stop());
  page.start(() => {
    asked += 1;
    return Promise.reject(new Error('no scene'));
  });
  await waitFor('another try', () => asked > 2);
});
