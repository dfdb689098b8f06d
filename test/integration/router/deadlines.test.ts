// Deadlines on real sockets: which one passes, what the web server is told, and that nobody is blamed for somebody else's delay.
import assert from 'node:assert/strict';
import net from 'node:net';
import { afterEach, test } from 'node:test';
import { RecordType } from '../../../src/fcgi-protocol/index.js';
import type { AppFacts } from '../../../src/ipc/index.js';
import type { FakeWorkerOptions, WorkerRequest } from '../../support/fake-worker.js';
import { parseCgi, type FrontClient } from '../../support/front-client.js';
import { appParams, RouterRig } from '../../support/router-rig.js';
import { waitFor } from '../../support/wait-for.js';

let rig: RouterRig | undefined;
afterEach(async () => {
  await rig?.stop();
  rig = undefined;
});

const NEVER = 600_000;
const PATIENT = {
  startTimeoutMs: NEVER,
  firstByteTimeoutMs: NEVER,
  silenceTimeoutMs: NEVER,
  requestTimeoutMs: NEVER,
} satisfies Partial<AppFacts['limits']>;

async function startWith(
  worker: FakeWorkerOptions,
  limits: Partial<AppFacts['limits']>,
): Promise<{ rig: RouterRig; front: FrontClient }> {
  const facts = { limits: { ...PATIENT, ...limits } };
  rig = await RouterRig.start({ apps: { 'alice/blog': { worker, facts } } });
  return { rig, front: await rig.front() };
}

const HEAD = 'Content-Type: text/plain\r\n\r\n';
const say = ({ id, encoder }: WorkerRequest, text: string): void => {
  encoder.stream(RecordType.STDOUT, id, Buffer.from(text));
};

test('a worker that never comes up is a start timeout, and is stopped', async () => {
  const facts = { limits: { ...PATIENT, startTimeoutMs: 300 } };
  const program = ['/bin/sleep', '600']; // it has its socket, and accepts nobody
  rig = await RouterRig.start({ apps: { 'alice/blog': { program, facts } } });
  const { supervisor } = rig;
  const front = await rig.front();
  const answer = await front.fetch(appParams('alice/blog'));
  assert.equal(answer.status, 504);
  assert.equal(answer.headers.get('x-usherd-reason'), 'start-timeout');
  await waitFor('the worker retired', () =>
    supervisor.received.some((it) => it.type === 'retire' && it.reason === 'deadline'),
  );
});

test('one that has come up and is slow with its first request has the time for a first byte', async () => {
  const { rig, front } = await startWith(
    { onRequest: (request) => void setTimeout(() => request.reply(`${HEAD}late`), 600) },
    { startTimeoutMs: 200, firstByteTimeoutMs: 5_000 },
  );
  const answer = await front.fetch(appParams('alice/blog'));
  assert.equal(answer.body.toString(), 'late');
  assert.ok(!rig.supervisor.received.some(({ type }) => type === 'retire'));
});

test('a worker that never answers is a first-byte timeout, and is stopped', async () => {
  const { rig, front } = await startWith(
    { onRequest: (request) => request.params.get('PATH_INFO') === '/' && request.reply(HEAD) },
    { firstByteTimeoutMs: 50 },
  );
  await front.fetch(appParams('alice/blog', '/'));
  const answer = await front.fetch(appParams('alice/blog', '/stuck'));
  assert.equal(answer.status, 504);
  assert.equal(answer.headers.get('x-usherd-reason'), 'first-byte-timeout');
  await waitFor('the worker retired', () =>
    rig.supervisor.received.some((it) => it.type === 'retire' && it.reason === 'deadline'),
  );
});

test('a worker that falls silent in the middle of its answer has it cut, and is stopped', async () => {
  const { rig, front } = await startWith(
    { onRequest: (request) => say(request, `${HEAD}half`) },
    { silenceTimeoutMs: 50 },
  );
  front.send(1, appParams('alice/blog'));
  await waitFor('the answer to be cut', () => front.isBroken);
  assert.equal(parseCgi(front.answer(1)).body.toString(), 'half');
  assert.equal(front.answer(1).end, undefined, 'an END_REQUEST would make it look whole');
  await waitFor('the worker retired', () =>
    rig.supervisor.received.some((it) => it.type === 'retire' && it.reason === 'deadline'),
  );
});

test('an answer that keeps coming is not silent, however long all of it takes', async () => {
  let request: WorkerRequest | undefined;
  const { front } = await startWith(
    { onRequest: (one) => say((request = one), HEAD) },
    { silenceTimeoutMs: 2_000 },
  );
  front.send(1, appParams('alice/blog'));
  const startedMs = performance.now();
  let pieces = 0;
  // Each piece waits for the one before, and all of them together take longer than the silence that is allowed.
  while (performance.now() - startedMs < 2_500) {
    pieces += 1;
    const bytes = pieces;
    await waitFor('the worker has the request', () => request !== undefined);
    if (request !== undefined) say(request, '.');
    await waitFor('the piece', () => bodyLength(front) >= bytes);
  }
  request?.encoder.endStream(RecordType.STDOUT, request.id);
  request?.encoder.endRequest(request.id, 0, 0);
  await front.ended(1);
  assert.equal(bodyLength(front), pieces);
});

test('a worker is not silent while it is the web server that does not read', async () => {
  const piece = Buffer.alloc(60_000, 120);
  const count = 100;
  const { front } = await startWith(
    {
      onRequest: ({ id, encoder }) => {
        encoder.stream(RecordType.STDOUT, id, Buffer.from(HEAD));
        for (let i = 0; i < count; i += 1) encoder.stream(RecordType.STDOUT, id, piece);
        encoder.endStream(RecordType.STDOUT, id);
        encoder.endRequest(id, 0, 0);
      },
    },
    { silenceTimeoutMs: 60 },
  );
  front.socket.pause();
  front.send(1, appParams('alice/blog'));
  // Longer than the silence that is allowed: nothing moves, because nobody reads.
  const untilMs = performance.now() + 400;
  await waitFor('some time', () => performance.now() > untilMs);
  front.socket.resume();
  await front.ended(1);
  assert.equal(bodyLength(front), count * piece.length);
});

test('an answer that never ends meets the deadline for all of it', async () => {
  const timers: NodeJS.Timeout[] = [];
  const { front } = await startWith(
    {
      onRequest: (request) => {
        say(request, HEAD);
        timers.push(setInterval(() => say(request, '.'), 5));
      },
    },
    { requestTimeoutMs: 150 },
  );
  front.send(1, appParams('alice/blog'));
  await waitFor('the answer to be cut', () => front.isBroken).finally(() =>
    timers.forEach(clearInterval),
  );
  assert.equal(front.answer(1).end, undefined);
});

test('a slow upload takes nothing from the time that the application has', async () => {
  const { front } = await startWith(
    { onRequest: (request) => request.reply(`${HEAD}${request.body.length}`) },
    { requestTimeoutMs: 2_000 },
  );
  await front.fetch(appParams('alice/blog'));
  front.head(2, appParams('alice/blog', '/', { REQUEST_METHOD: 'POST', CONTENT_LENGTH: '2' }));
  front.encoder.stream(RecordType.STDIN, 2, Buffer.from('a'));
  const untilMs = performance.now() + 2_100;
  await waitFor('more time than the request has', () => performance.now() > untilMs);
  front.encoder.stream(RecordType.STDIN, 2, Buffer.from('b'));
  front.encoder.endStream(RecordType.STDIN, 2);
  assert.equal(parseCgi(await front.ended(2)).body.toString(), '2');
});

function bodyLength(front: FrontClient): number {
  const bytes = front.answer(1).stdout.reduce((sum, part) => sum + part.length, 0);
  const first = Buffer.concat(front.answer(1).stdout.slice(0, 1)).indexOf('\r\n\r\n');
  return first < 0 ? 0 : bytes - first - 4;
}

test('a slow request is ended alone: the others of its worker get their answers, the next ones another worker', async () => {
  let asked = 0;
  const closed: string[] = [];
  const held = new Map<string, net.Socket>();
  const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok';
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (chunk) => {
      asked += 1;
      const [, name = ''] = /^GET \S*\/(\w*)\?? HTTP/.exec(chunk.toString()) ?? [];
      if (name !== 'slow' && name !== 'beside') socket.end(answer);
      else held.set(name, socket);
      socket.once('close', () => closed.push(name));
    });
  });
  const limits = { ...PATIENT, requestTimeoutMs: 1_500, maxWorkersPerApp: 2 };
  const app = { protocol: 'http', concurrency: 8, worker: { server }, facts: { limits } } as const;
  rig = await RouterRig.start({ apps: { 'alice/blog': app } });
  const { supervisor } = rig;
  const front = await rig.front();
  await front.fetch(appParams('alice/blog', '/first'));
  front.send(3, appParams('alice/blog', '/slow'));
  await waitFor('the slow one at the worker', () => held.has('slow'));
  // Younger by more than half of the limit, so that it is well within its own when that of the slow one is over.
  const untilMs = performance.now() + 900;
  await waitFor('some time', () => performance.now() > untilMs);
  front.send(5, appParams('alice/blog', '/beside'));
  await waitFor('the other one at the worker', () => held.has('beside'));
  await front.ended(3);
  assert.equal(parseCgi(front.answer(3)).status, 504);
  await waitFor('the end of its connection', () => closed.includes('slow'));
  assert.ok(!closed.includes('beside'));
  const isRetired = (): boolean => supervisor.received.some(({ type }) => type === 'retire');
  assert.ok(!isRetired(), 'it has another request');
  held.get('beside')?.end(answer);
  await front.ended(5);
  assert.equal(parseCgi(front.answer(5)).body.toString(), 'ok');
  await waitFor('the worker retired', isRetired);
  await front.fetch(appParams('alice/blog', '/next'));
  assert.equal(supervisor.needs.length, 2, 'by another worker');
  assert.equal(asked, 4);
});
