// The rule that refuses a start reaches whoever asked, also by way of a pool, which knows no more of it than the code.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { DEFAULT_ORIGINS } from '../../support/config.js';
import type { FakeWorkerOptions } from '../../support/fake-worker.js';
import { appParams, RouterRig } from '../../support/router-rig.js';
import { waitFor } from '../../support/wait-for.js';

const REFUSE = {
  ...{ code: 'E_MANIFEST_INVALID', rule: 'config-syntax' },
  detail: '/srv/alice/apps/blog/usherd.toml:2: column 1: a key; expected: a value',
  remedy: 'mend this line',
} as const;

test('rule, place and remedy are in the page and in the report', async (t) => {
  const dieForGood = (): void => {
    supervisor.apps.set('alice/blog', { refuse: REFUSE });
    for (const id of [...supervisor.running.keys()]) supervisor.kill(id);
  };
  const app = { facts: { mode: 'development' }, worker: { onRequest: dieForGood } } as const;
  const rig = await RouterRig.start({ apps: { 'alice/blog': app } });
  t.after(() => rig.stop());
  const { supervisor } = rig;
  const front = await rig.front();
  // Its worker dies of it, and the second try waits in the pool.
  const { status, headers, body } = await front.fetch(appParams('alice/blog'));
  assert.deepEqual([status, headers.get('x-usherd-reason')], [503, 'manifest-invalid']);
  for (const words of [REFUSE.rule, REFUSE.detail, `Remedy: ${REFUSE.remedy}`]) {
    assert.ok(body.toString().includes(words), `no ${words} in ${body.toString()}`);
  }
  supervisor.send({ type: 'report', serial: 1, about: 'status' });
  const told = await waitFor('the report', () =>
    supervisor.received.find((message) => message.type === 'reportFailure'),
  );
  const { code, rule, detail, remedy } = told;
  assert.deepEqual({ code, rule, detail, remedy }, REFUSE);
});

/** Development mode shows them in the page. */
async function pageOf(limits: object, more: object, count: number): Promise<string> {
  const facts = { mode: 'development', limits, ...more } as const;
  const held = { facts, worker: { onRequest: () => undefined } };
  const rig = await RouterRig.start({ apps: { 'alice/blog': held } });
  try {
    const front = await rig.front();
    const params = appParams('alice/blog', '/report', { REQUEST_URI: '/report?all' });
    for (let id = 1; id < count; id += 1) {
      front.send(id, params);
      await waitFor('the first at the worker', () => rig.supervisor.running.size === 1);
    }
    return (await front.fetch(params, undefined, count)).body.toString();
  } finally {
    await rig.stop();
  }
}

test('who finds the queue full is told which limits are reached, whose they are, and what is at work', async () => {
  const origins = {
    ...DEFAULT_ORIGINS,
    ...{ maxWorkersPerApp: 'manifest', queueLength: 'users' },
  } as const;
  const page = await pageOf({ maxWorkersPerApp: 1, queueLength: 1 }, { origins }, 3);
  for (const words of [
    /1 of 1 workers \(max_workers_per_app, from usherd\.toml of the application\);/,
    / 1 waiting \(queue_length 1, from the settings of the user\), the first for [\d.]+ s;/,
    / at work: GET \/report\?all for [\d.]+ s</,
    /raise max_workers_per_app or queue_length, or make the application faster/,
  ]) {
    assert.match(page, words);
  }
});

test('who waits in vain at the limit of the user is not sent to that of the application', async () => {
  const limits = { maxWorkersPerApp: 1, queueTimeoutMs: 200 };
  const page = await pageOf(limits, { maxWorkersPerUser: 1 }, 2);
  for (const words of [
    '1 of 1 workers (max_workers_per_user, the default); waited for 0.2 s (queue_timeout, the default);',
    'raise max_workers_per_user or queue_timeout',
  ]) {
    assert.ok(page.includes(words), `no ${words} in ${page}`);
  }
});

test('a deadline that has passed is told with its length and where that stands', async () => {
  const origins = { ...DEFAULT_ORIGINS, firstByteTimeoutMs: 'usherd.toml' } as const;
  const limits = { maxWorkersPerApp: 1, startTimeoutMs: 150, firstByteTimeoutMs: 150 };
  const page = await pageOf(limits, { origins }, 1);
  const words = 'first_byte_timeout is 0.2 s, from usherd.toml of the administrator';
  assert.ok(page.includes(words), page);
});

test('a version that is refused is told of although the one before serves every request', async (t) => {
  const worker: FakeWorkerOptions = {
    onRequest: (request) => request.reply('Status: 200\r\n\r\nold'),
  };
  const rig = await RouterRig.start({ apps: { 'alice/blog': { worker } } });
  t.after(() => rig.stop());
  const { supervisor } = rig;
  const front = await rig.front();
  await front.fetch(appParams('alice/blog'));
  supervisor.apps.set('alice/blog', { refuse: REFUSE });
  supervisor.send({ type: 'restart', app: 'alice/blog', user: '', reason: 'changed', hold: false });
  await waitFor('the refused start', () => supervisor.needs.length === 2);
  const { status, body } = await front.fetch(appParams('alice/blog'));
  assert.deepEqual([status, body.toString()], [200, 'old']);
  supervisor.send({ type: 'report', serial: 1, about: 'status' });
  const told = await waitFor('the report', () =>
    supervisor.received.find((message) => message.type === 'reportFailure'),
  );
  const { app, code, rule, detail, remedy, request } = told;
  assert.deepEqual(
    { app, code, rule, detail, remedy, request },
    { app: 'alice/blog', ...REFUSE, request: '' },
  );
  const log = await waitFor('a line in the log', () => {
    const path = `${rig.directory}/log/alice/blog.log`;
    return fs.existsSync(path) && fs.readFileSync(path, 'utf8');
  });
  assert.ok(log.includes(`no new worker: ${REFUSE.rule}: `), log);
  for (const words of [REFUSE.detail, REFUSE.remedy]) assert.ok(log.includes(words), log);
});

test('an application that is kept without a request is told of, and a name that is none is not', async (t) => {
  const rig = await RouterRig.start({
    apps: { 'alice/blog': { refuse: REFUSE }, 'alice/none': { refuse: { code: 'E_APP_UNKNOWN' } } },
    prestart: ['alice/none', 'alice/blog'],
  });
  t.after(() => rig.stop());
  const { supervisor } = rig;
  await waitFor('both asked for', () => supervisor.needs.length === 2);
  const failures = await waitFor('the failure', async () => {
    supervisor.send({ type: 'report', serial: 1, about: 'status' });
    await waitFor('the end', () => supervisor.received.some(({ type }) => type === 'reportEnd'));
    const rows = supervisor.received.filter((message) => message.type === 'reportFailure');
    return rows.length > 0 && rows;
  });
  assert.deepEqual(
    new Set(failures.map(({ app, rule }) => `${app} ${rule}`)),
    new Set(['alice/blog config-syntax']),
  );
});
