// `buffer_requests = false`: the body reaches the worker as it comes, with back-pressure, and never twice.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { RecordType } from '../../../src/fcgi-protocol/index.js';
import type { FakeWorkerOptions, WorkerRequest } from '../../support/fake-worker.js';
import { parseCgi, type FrontClient } from '../../support/front-client.js';
import { appParams, RouterRig } from '../../support/router-rig.js';
import { waitFor } from '../../support/wait-for.js';

let rig: RouterRig | undefined;
afterEach(async () => {
  await rig?.stop();
  rig = undefined;
});

const HEAD = 'Content-Type: text/plain\r\n\r\n';
const PIECE = Buffer.alloc(60_000, 97);

/** The application is known, because its facts say that it streams. */
async function startWith(
  worker: FakeWorkerOptions,
  maxWorkersPerApp = 2,
): Promise<{ rig: RouterRig; front: FrontClient }> {
  const facts = { bufferRequests: false, limits: { maxWorkersPerApp } };
  rig = await RouterRig.start({ apps: { 'alice/blog': { worker, facts } } });
  const front = await rig.front();
  await front.fetch(appParams('alice/blog', '/warm'));
  return { rig, front };
}

const upload = (front: FrontClient, bytes: number, more = {}): void =>
  front.head(
    2,
    appParams('alice/blog', '/up', {
      REQUEST_METHOD: 'POST',
      CONTENT_LENGTH: String(bytes),
      ...more,
    }),
  );
const send = (front: FrontClient, content: Buffer): boolean =>
  front.encoder.stream(RecordType.STDIN, 2, content);

test('a worker has the first bytes before the last ones are sent', async () => {
  let got = 0;
  const { front } = await startWith({
    onBody: (content) => (got += content.length),
    onRequest: (request) => request.reply(`${HEAD}${got}`),
  });
  upload(front, 10);
  send(front, Buffer.from('first'));
  await waitFor('five bytes at the worker', () => got === 5);
  send(front, Buffer.from('again'));
  front.encoder.endStream(RecordType.STDIN, 2);
  assert.equal(parseCgi(await front.ended(2)).body.toString(), '10');
});

test('a worker that does not read stops the web server, and the router holds next to nothing', async () => {
  let slow: WorkerRequest | undefined;
  let got = 0;
  const { rig, front } = await startWith({
    onHead: (request) => {
      if (request.params.get('PATH_INFO') !== '/up') return;
      slow = request;
      request.socket.pause();
    },
    onBody: (content) => (got += content.length),
    onRequest: (request) => request.reply(`${HEAD}${got}`),
  });
  const count = 400;
  upload(front, count * PIECE.length);
  // Far more than the buffers of the kernel and the 64 KiB of usherd hold: the rest waits in the web server.
  for (let i = 0; i < count; i += 1) send(front, PIECE);
  front.encoder.endStream(RecordType.STDIN, 2);
  await waitFor('the worker has the head', () => slow !== undefined);
  await waitFor('the router pauses', () => rig.router.spoolBudget.memoryBytes >= 64 * 1024);
  assert.ok(rig.router.spoolBudget.memoryBytes <= 3 * 65_536, 'one bound and one chunk');
  assert.equal(rig.router.spoolBudget.diskBytes, 0);
  assert.ok(front.socket.writableLength > 0, 'the web server waits');
  slow?.socket.resume();
  assert.equal(parseCgi(await front.ended(2, 60_000)).body.toString(), String(24_000_000));
  assert.equal(rig.router.spoolBudget.memoryBytes, 0);
});

test('a body that waits for a worker does not hold up that of the request which has it, on the same connection', async () => {
  let got = 0;
  const { front } = await startWith(
    {
      onBody: (content) => (got += content.length),
      onRequest: (request) => request.reply(`${HEAD}${got}`),
    },
    1,
  );
  upload(front, 10);
  send(front, Buffer.from('first'));
  await waitFor('five bytes at the worker', () => got === 5);
  const large = Buffer.alloc(2_000_000, 97);
  const post = { REQUEST_METHOD: 'POST', CONTENT_LENGTH: String(large.length) };
  front.send(3, appParams('alice/blog', '/up', post), large);
  send(front, Buffer.from('again'));
  front.encoder.endStream(RecordType.STDIN, 2);
  assert.equal(parseCgi(await front.ended(2)).body.toString(), '10');
  assert.equal(parseCgi(await front.ended(3)).body.toString(), String(10 + large.length));
});

test('a client that leaves in the middle of a streamed body takes its worker along', async () => {
  let began = false;
  const { rig, front } = await startWith({
    onBody: () => (began = true),
    onRequest: (request) => request.reply(HEAD),
  });
  const leaver = await rig.front();
  upload(leaver, 1_000);
  send(leaver, Buffer.from('some'));
  await waitFor('some of it at the worker', () => began);
  leaver.close();
  await waitFor('the worker retired', () =>
    rig.supervisor.received.some(({ type }) => type === 'retire'),
  );
  assert.equal((await front.fetch(appParams('alice/blog', '/next'))).status, 200);
});

test('a streamed GET whose worker dies is not tried again: a part of its body is gone', async () => {
  let uploads = 0;
  const { front } = await startWith({
    onBody: ({ length }, { socket }) => {
      uploads += length > 0 ? 1 : 0;
      socket.destroy();
    },
    onRequest: (request) => request.reply(HEAD),
  });
  upload(front, 8, { REQUEST_METHOD: 'GET' });
  send(front, Buffer.from('half'));
  const answer = parseCgi(await front.ended(2));
  assert.equal(answer.status, 502);
  assert.equal(answer.headers.get('x-usherd-reason'), 'worker-died');
  assert.equal(uploads, 1);
});

test('more than was announced is refused before it reaches anybody as another request', async () => {
  const { front } = await startWith({
    onBody: () => undefined,
    onRequest: (request) => request.reply(HEAD),
  });
  upload(front, 3);
  send(front, Buffer.from('four'));
  const answer = parseCgi(await front.ended(2));
  assert.equal(answer.status, 400);
  assert.equal(answer.headers.get('x-usherd-reason'), 'body-mismatch');
});

test('a body of unknown length is read ahead all the same, and gets its length', async () => {
  const { front } = await startWith({
    onRequest: (request) =>
      request.reply(`${HEAD}${request.params.get('CONTENT_LENGTH') ?? 'none'}`),
  });
  front.head(2, appParams('alice/blog', '/up', { REQUEST_METHOD: 'POST' }));
  send(front, Buffer.from('seven b'));
  front.encoder.endStream(RecordType.STDIN, 2);
  assert.equal(parseCgi(await front.ended(2)).body.toString(), '7');
});
