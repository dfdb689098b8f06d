// Metrics of a real router, scraped over its socket: what happened is what they say.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, test } from 'node:test';
import { LIMITS } from '../../../src/limits.js';
import { createLogger } from '../../../src/log.js';
import { connectionBound } from '../../../src/router/descriptor-limit.js';
import { listen } from '../../../src/router/listening.js';
import { MetricsServer } from '../../../src/router/metrics/server.js';
import { get, parseOpenMetrics, type Sample } from '../../support/open-metrics.js';
import { appParams, RouterRig, type RigOptions } from '../../support/router-rig.js';
import { waitFor } from '../../support/wait-for.js';

let rig: RouterRig | undefined;
const start = async (options: RigOptions): Promise<RouterRig> =>
  (rig = await RouterRig.start(options));
afterEach(async () => {
  await rig?.stop();
  rig = undefined;
});

const HELLO = 'Content-Type: text/plain\r\n\r\nhello';

/** Two applications of alice, one of bob; one of each kind of trouble. */
async function used(options: Partial<RigOptions> = {}): Promise<RouterRig> {
  const started = await start({
    apps: {
      'alice/blog': { worker: { onRequest: (request) => request.reply(HELLO) } },
      'alice/shop': {
        worker: { onRequest: (request) => request.reply(`Status: 500\r\n${HELLO}`) },
      },
      'carol/slow': {},
      'bob/wiki': { worker: { onRequest: ({ socket }) => socket.destroy() } },
    },
    ...options,
  });
  const front = await started.front();
  for (let times = 0; times < 3; times += 1) await front.fetch(appParams('alice/blog'));
  await front.fetch(appParams('alice/shop'));
  assert.equal(
    (await front.fetch(appParams('bob/wiki', '/', { REQUEST_METHOD: 'POST' }))).status,
    502,
  );
  assert.equal((await front.fetch(appParams('mallory/nothing'))).status, 404);
  return started;
}

async function scrape({ metricsPath }: RouterRig): Promise<readonly Sample[]> {
  const { status, type, body } = await get(metricsPath, '/metrics');
  assert.equal(status, 200);
  assert.match(type, /^application\/openmetrics-text; version=1\.0\.0; charset=utf-8$/);
  return parseOpenMetrics(body);
}

/** The value of the one sample with this name and at least these labels. */
function valueOf(
  samples: readonly Sample[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const found = samples.filter(
    (it) =>
      it.name === name && Object.entries(labels).every(([key, text]) => it.labels[key] === text),
  );
  assert.ok(found.length <= 1, `${name} ${JSON.stringify(found)}`);
  return found[0]?.value;
}

test('each application has its requests, failures, starts, exits and workers', async () => {
  const started = await used();
  // It is started, and dies before its first answer.
  const front = await started.front();
  front.send(1, appParams('carol/slow'));
  const idOf = (app: string): string =>
    [...started.supervisor.running.values()].find((it) => it.app === app)?.id ?? '';
  await waitFor('the start', () => idOf('carol/slow') !== '');
  await waitFor('the back-off', async () => {
    // Each time it is held back for longer, so that it is seen on a slow machine, too.
    started.supervisor.kill(idOf('carol/slow'));
    return valueOf(await scrape(started), 'usherd_backoff', { app: 'carol/slow' }) === 1;
  });
  const [running] = [...started.supervisor.running.values()].filter(
    ({ app }) => app === 'alice/shop',
  );
  started.supervisor.kill(running?.id ?? '');
  await waitFor('the exit', async () => {
    const exits = valueOf(await scrape(started), 'usherd_worker_exits_total', {
      app: 'alice/shop',
    });
    return exits === 1;
  });
  const samples = await scrape(started);
  const blog = { user: 'alice', app: 'alice/blog' };
  const expected: readonly (readonly [
    string,
    Readonly<Record<string, string>>,
    number | undefined,
  ])[] = [
    ['usherd_requests_total', { ...blog, status: '2xx' }, 3],
    ['usherd_requests_total', { ...blog, status: '5xx' }, undefined],
    ['usherd_requests_total', { app: 'alice/shop', status: '5xx' }, 1],
    ['usherd_request_failures_total', { app: 'bob/wiki', reason: 'worker-died' }, 1],
    ['usherd_request_failures_total', { app: '', reason: 'no-app' }, 1],
    ['usherd_response_bytes_total', blog, 15],
    ['usherd_request_duration_seconds_count', blog, 3],
    ['usherd_request_duration_seconds_bucket', { ...blog, le: '+Inf' }, 3],
    ['usherd_request_wait_seconds_count', blog, 3],
    ['usherd_worker_starts_total', blog, 1],
    ['usherd_worker_start_seconds_total', blog, 0.001],
    ['usherd_worker_start_refusals_total', { app: '', reason: 'no-app' }, 1],
    ['usherd_worker_exits_total', { app: 'alice/shop', reason: 'signal' }, 1],
    ['usherd_workers', { ...blog, state: 'ready' }, 1],
    ['usherd_workers_limit', blog, 4],
    ['usherd_queue_length', blog, 0],
    ['usherd_queue_length_limit', blog, 100],
    ['usherd_backoff', blog, 0],
    ['usherd_memory_bytes', blog, 1_000_000],
    ['usherd_cpu_ratio', blog, 0.25],
    ['usherd_supervisor_up', {}, 1],
    ['usherd_requests_begun_total', {}, 7],
    ['usherd_build', { version: '0.0.0-test' }, 1],
  ];
  for (const [name, labels, value] of expected) {
    assert.equal(valueOf(samples, name, labels), value, `${name} ${JSON.stringify(labels)}`);
  }
  // Names that lead nowhere are everybody's to make up.
  assert.ok(!samples.some(({ labels }) => labels['user'] === 'mallory'));
});

test('the switch sums for each user, or for all', async () => {
  for (const [detail, labels, count] of [
    ['user', { user: 'alice', status: '2xx' }, 3],
    ['total', { status: '4xx' }, 1],
  ] as const) {
    const started = await used();
    const { metrics } = { metrics: { socket: started.metricsPath, listen: '', detail } };
    await started.reconfigure({ metrics });
    const samples = await scrape(started);
    assert.equal(valueOf(samples, 'usherd_requests_total', labels), count);
    assert.equal(
      valueOf(samples, 'usherd_workers_limit', detail === 'user' ? { user: 'bob' } : {}),
      detail === 'user' ? 4 : 12,
    );
    assert.ok(!samples.some((it) => 'app' in it.labels));
    await started.stop();
    rig = undefined;
  }
});

test('the supervisor away leaves its own numbers out, and says so', async () => {
  const started = await start({ withoutSupervisor: true });
  const samples = await scrape(started);
  assert.equal(valueOf(samples, 'usherd_supervisor_up'), 0);
  assert.equal(valueOf(samples, 'usherd_machine_workers'), undefined);
});

test('what waits until somebody looks for its application is in the queue, without a name that anybody can make up', async () => {
  const started = await start({ withoutSupervisor: true });
  const front = await started.front();
  for (const id of [1, 2]) front.send(id, appParams('mallory/nothing'));
  await waitFor('the requests', () => started.router.counters.requestsActive === 2);
  const samples = (await scrape(started)).filter(({ name }) => name === 'usherd_queue_length');
  assert.deepEqual(
    samples.map(({ labels, value }) => [labels, value]),
    [[{ user: '', app: '' }, 2]],
  );
  const metrics = { socket: started.metricsPath, listen: '', detail: 'total' as const };
  await started.reconfigure({ metrics });
  assert.equal(valueOf(await scrape(started), 'usherd_queue_length'), 2);
});

test('the socket is the router’s alone, answers nothing but a scrape, and bears many who ask at once', async () => {
  const started = await start({});
  assert.equal(statSync(started.metricsPath).mode & 0o777, 0o660);
  assert.equal((await get(started.metricsPath, '/metrics', 'POST')).status, 405);
  assert.equal((await get(started.metricsPath, '/etc/passwd')).status, 404);
  assert.equal((await get(started.metricsPath, '/metrics', 'HEAD')).status, 200);
  const answers = await Promise.all(
    Array.from({ length: 12 }, () => get(started.metricsPath, '/metrics')),
  );
  for (const { status } of answers) assert.ok(status === 200 || status === 503, String(status));
  assert.ok(answers.some(({ status }) => status === 200));
  await scrape(started);
});

test('the limit of front connections is the one that holds, also after a reload that names another', async () => {
  const started = await start({});
  await started.reconfigure({ front: { ...started.config.front, connectionsMax: 7 } });
  const limit = valueOf(await scrape(started), 'usherd_front_connections_limit');
  assert.equal(limit, connectionBound(2_000).connectionsMax);
});

test('a scrape that cannot be made is answered with 500, and the next one is made', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'usherd-metrics-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  let isBroken = true;
  const server = new MetricsServer(createLogger('fatal', 'router'), () =>
    isBroken
      ? Promise.reject(new Error('no scene'))
      : Promise.resolve({ contentType: 'text/plain', pieces: Readable.from(['fine']) }),
  );
  t.after(() => server.stop());
  const socket = join(directory, 'metrics.sock');
  await server.start({ socket, listen: '', inherited: [] });
  for (let times = 0; times <= LIMITS.metricsScrapesMaxCount; times += 1) {
    assert.equal((await get(socket, '/metrics')).status, 500);
  }
  isBroken = false;
  assert.equal((await get(socket, '/metrics')).body, 'fine');
});

test('a place that cannot be had changes no mode of files made later', async (t) => {
  const before = process.umask(0o027);
  t.after(() => process.umask(before));
  const server = net.createServer();
  await assert.rejects(
    listen(server, { host: '127.0.0.1', port: 65_536 }),
    /ERR_SOCKET_BAD_PORT|65536/,
  );
  assert.equal(process.umask(0o027), 0o027);
});
