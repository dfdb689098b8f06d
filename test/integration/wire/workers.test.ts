// Wire checklist 72 to 82: what a worker sees, and what becomes of a request when its worker fails, on real sockets.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecordType } from '../../../src/fcgi-protocol/index.js';
import type { WorkerRequest } from '../../support/fake-worker.js';
import { parseCgi } from '../../support/front-client.js';
import { waitFor } from '../../support/wait-for.js';
import { GET, hello, POST, reasonOf, stages, TEXT, whole } from '../../support/wire-stage.js';

const start = stages();

test('item 72: the connection is closed as soon as END has come, whatever the worker does', async () => {
  const ends: WorkerRequest[] = [];
  const { front } = await start((request) => {
    ends.push(request);
    request.encoder.stream(RecordType.STDOUT, request.id, Buffer.from(`${TEXT}x`));
    request.encoder.endRequest(request.id, 0, 0);
  });
  assert.equal((await front.fetch(GET)).status, 200);
  await waitFor('our close', () => ends[0]?.socket.readableEnded);
});

test('item 73: BEGIN, PARAMS and a small body come in one piece, at once', async () => {
  const pieces: number[] = [];
  const { front, supervisor } = await start(hello);
  await front.fetch(GET);
  for (const { worker } of supervisor.running.values()) {
    worker.server.prependListener('connection', (socket) => {
      socket.on('data', (chunk) => pieces.push(chunk.length));
    });
  }
  assert.equal((await front.fetch(POST, Buffer.from('abc'))).body.toString(), '/:3');
  assert.equal(pieces.length, 1);
});

test('item 75: a worker that is not there any more is no answer: another is found, whatever the method', async () => {
  const { front, supervisor } = await start(hello);
  await front.fetch(GET);
  for (const { worker } of supervisor.running.values()) worker.kill();
  assert.equal((await front.fetch(POST, Buffer.from('abc'))).body.toString(), '/:3');
  assert.equal(supervisor.needs.length, 2);
});

test('item 75: one that has read the request and dies without a byte is tried once more only for GET', async () => {
  for (const [params, times] of [
    [GET, 2],
    [POST, 1],
  ] as const) {
    let tries = -1; // the first is answered: a worker that dies without any answer begins a back-off
    const { front } = await start((request) => {
      tries += 1;
      if (tries === 0) hello(request);
      else request.socket.destroy();
    });
    assert.equal((await front.fetch(GET)).status, 200);
    assert.equal((await front.fetch(params)).status, 502);
    assert.equal(tries, times);
  }
});

test('item 76: a worker that ends after its last request is replaced, and no request notices', async () => {
  const { front, supervisor } = await start(hello, { maxRequests: 2 });
  for (let i = 0; i < 9; i += 1) assert.equal((await front.fetch(POST)).status, 200);
  const retired = supervisor.received.filter(({ type }) => type === 'retire');
  assert.equal(retired.length, 4);
});

test('item 77: an application whose workers do not start is a 503 that says when to come again', async () => {
  const { front } = await start(hello, { refuse: { code: 'E_START_FAILED', retryAfterMs: 4_000 } });
  const answer = await front.fetch(GET);
  assert.equal(answer.status, 503);
  assert.equal(reasonOf(answer), 'start-failed');
  assert.equal(answer.headers.get('retry-after'), '4');
});

test('item 78: a worker that never answers is a 504 and is not used again', async () => {
  const { front, supervisor } = await start(() => undefined, {
    facts: { limits: { startTimeoutMs: 300, firstByteTimeoutMs: 600, maxWorkersPerApp: 1 } },
  });
  const answer = await front.fetch(GET);
  assert.equal(answer.status, 504);
  assert.match(reasonOf(answer) ?? '', /^(?:start|first-byte)-timeout$/);
  await waitFor('retire', () =>
    supervisor.received.some(
      (message) => message.type === 'retire' && message.reason === 'deadline',
    ),
  );
});

test('item 80: a worker that takes one request at a time never has two; one that takes four has four', async () => {
  for (const concurrency of [1, 4]) {
    const held: WorkerRequest[] = [];
    const { front, supervisor } = await start((request) => void held.push(request), {
      concurrency,
      facts: { limits: { maxWorkersPerApp: 1 } },
    });
    for (let id = 1; id <= 6; id += 1) front.send(id, GET);
    for (let done = 0; done < 6; done += 1) {
      await waitFor('a request at the worker', () => held.length > done);
      const [running] = supervisor.running.values();
      assert.ok((running?.worker.sockets.size ?? 0) <= concurrency);
      held[done]?.reply(`${TEXT}x`);
    }
    for (let id = 1; id <= 6; id += 1) await front.ended(id);
    assert.deepEqual(
      [...supervisor.running.values()].flatMap(({ worker }) => worker.violations),
      [],
    );
  }
});

test('item 81: nothing that kills a worker is ever sent to one, whatever a web server sends and does', async () => {
  const held: WorkerRequest[] = [];
  const { front, supervisor, rig } = await start((request) => {
    held.push(request);
    if (request.params.get('QUERY_STRING') === '') hello(request);
  });
  const hang = new Map(GET).set('QUERY_STRING', 'hang');
  front.expect(1);
  front.socket.write(whole(1, hang));
  await waitFor('the request at the worker', () => held.length === 1);
  front.encoder.getValues(['FCGI_MAX_CONNS']);
  front.encoder.stream(RecordType.DATA, 1, Buffer.from('x'));
  front.encoder.abortRequest(1);
  await front.ended(1);
  const second = await rig.front();
  second.send(1, hang);
  await waitFor('the next at the worker', () => held.length === 2);
  assert.equal((await front.fetch(GET)).status, 200);
  second.close();
  await waitFor('all ends', () => rig.router.counters.requestsActive === 0);
  const workers = [...supervisor.running.values()].map(({ worker }) => worker);
  assert.ok(workers.length > 0);
  assert.deepEqual(
    workers.flatMap(({ violations }) => violations),
    [],
  );
});

test('item 82: a queue that is full or too slow is a 503 in full', async () => {
  const { front } = await start(() => undefined, {
    facts: { limits: { maxWorkersPerApp: 1, queueLength: 1, queueTimeoutMs: 300 } },
  });
  front.send(1, GET);
  front.send(2, GET);
  front.send(3, GET);
  const reasons = new Set<string | undefined>();
  for (const id of [2, 3]) {
    const answer = parseCgi(await front.ended(id));
    assert.equal(answer.status, 503);
    assert.ok(answer.headers.has('retry-after'));
    reasons.add(reasonOf(answer));
    assert.equal(front.answer(id).end?.protocolStatus, 0);
  }
  assert.ok([...reasons].every((reason) => reason === 'queue-full' || reason === 'queue-timeout'));
});
