// A request's way through the router: from the front socket to a worker and back, and what happens when it goes wrong.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { RecordType } from '../../../src/fcgi-protocol/index.js';
import type { WorkerRequest } from '../../support/fake-worker.js';
import { parseCgi } from '../../support/front-client.js';
import { appParams, RouterRig, type RigOptions } from '../../support/router-rig.js';
import { waitFor } from '../../support/wait-for.js';

let rig: RouterRig | undefined;
const start = async (options: RigOptions): Promise<RouterRig> =>
  (rig = await RouterRig.start(options));
afterEach(async () => {
  await rig?.stop();
  rig = undefined;
});

const hello = (request: WorkerRequest): void =>
  request.reply(
    `Content-Type: text/plain\r\n\r\n${request.params.get('PATH_INFO') ?? ''}:${request.body.length}`,
  );

test('the first request of an application starts a worker and is answered by it', async () => {
  const { supervisor, front } = await startedWith(hello);
  const answer = await front.fetch(appParams('alice/blog', '/x/y'));
  assert.equal(answer.status, 200);
  assert.equal(answer.body.toString(), '/x/y:0');
  assert.deepEqual(
    supervisor.needs.map(({ app, runtime }) => ({ app, runtime })),
    [{ app: 'alice/blog', runtime: '' }],
  );
});

test('a second request goes to the same worker over the same front connection', async () => {
  const { supervisor, front } = await startedWith(hello);
  for (let i = 0; i < 20; i += 1) {
    assert.equal((await front.fetch(appParams('alice/blog', `/${i}`))).body.toString(), `/${i}:0`);
  }
  assert.equal(supervisor.needs.length, 1);
  const [running] = supervisor.running.values();
  assert.equal(running?.worker.requests, 20);
  assert.deepEqual(running.worker.violations, []);
});

test('a body reaches the worker whole and with its length', async () => {
  const { front } = await startedWith((request) =>
    request.reply(
      `Content-Type: text/plain\r\n\r\n${request.params.get('CONTENT_LENGTH') ?? 'none'}/${request.body.length}`,
    ),
  );
  const body = Buffer.alloc(300_000, 7);
  const answer = await front.fetch(appParams('alice/blog', '/', { REQUEST_METHOD: 'POST' }), body);
  assert.equal(answer.body.toString(), '300000/300000');
});

test('an unknown application is a 404 with its reason, and is remembered for a moment', async () => {
  const { supervisor, front } = await startedWith(hello);
  for (let i = 0; i < 3; i += 1) {
    const answer = await front.fetch(appParams('alice/nothing'));
    assert.equal(answer.status, 404);
    assert.equal(answer.headers.get('x-usherd-reason'), 'no-app');
  }
  assert.equal(supervisor.needs.length, 1);
});

test('a path outside every root is refused without asking anybody', async () => {
  const { supervisor, front } = await startedWith(hello);
  const answer = await front.fetch(
    new Map([
      ['REQUEST_METHOD', 'GET'],
      ['SCRIPT_FILENAME', '/etc/passwd'],
    ]),
  );
  assert.equal(answer.status, 403);
  assert.equal(answer.headers.get('x-usherd-reason'), 'refused-path');
  assert.equal(supervisor.needs.length, 0);
});

test('fifty requests to a cold application start as many workers as the cap allows', async () => {
  const { supervisor, rig: current } = await startedWith(hello);
  const clients = await Promise.all(Array.from({ length: 50 }, () => current.front()));
  const answers = await Promise.all(
    clients.map((c, i) => c.fetch(appParams('alice/blog', `/${i}`))),
  );
  answers.forEach((answer, i) => assert.equal(answer.body.toString(), `/${i}:0`));
  assert.ok(supervisor.needs.length <= 4, `${supervisor.needs.length} workers`);
});

test('requests of two users interleaved on one connection never mix (T73)', async () => {
  const { front } = await startedWith((request) =>
    request.reply(
      `Content-Type: text/plain\r\n\r\n${request.params.get('SCRIPT_NAME') ?? ''}|${request.body.toString()}`,
    ),
  );
  const ids = Array.from({ length: 60 }, (_, i) => i + 1);
  for (const id of ids) {
    const app = id % 2 === 0 ? 'alice/blog' : 'bob/shop';
    front.send(id, appParams(app, '/', { REQUEST_METHOD: 'POST' }), Buffer.from(`body ${id}`));
  }
  for (const id of ids) {
    const answer = parseCgi(await front.ended(id));
    const user = id % 2 === 0 ? '~alice/apps/blog' : '~bob/apps/shop';
    assert.equal(answer.body.toString(), `/${user}|body ${id}`);
  }
});

test('a GET whose worker dies before its first byte is tried once more (T90)', async () => {
  let tries = 0;
  const { front } = await startedWith((request) => {
    tries += 1;
    if (tries === 1) request.socket.destroy();
    else hello(request);
  });
  assert.equal((await front.fetch(appParams('alice/blog'))).status, 200);
  assert.equal(tries, 2);
});

test('a POST whose worker dies is a 502 and is not tried again (T90)', async () => {
  let tries = 0;
  const { front } = await startedWith((request) => {
    tries += 1;
    request.socket.destroy();
  });
  const answer = await front.fetch(appParams('alice/blog', '/', { REQUEST_METHOD: 'POST' }));
  assert.equal(answer.status, 502);
  assert.equal(answer.headers.get('x-usherd-reason'), 'worker-died');
  assert.equal(tries, 1);
});

test('END_REQUEST without any output is a 502, never an empty 200 (T81)', async () => {
  const { front } = await startedWith((request) => request.encoder.endRequest(request.id, 0, 0));
  const answer = await front.fetch(appParams('alice/blog', '/', { REQUEST_METHOD: 'POST' }));
  assert.equal(answer.status, 502);
  assert.equal(answer.headers.get('x-usherd-reason'), 'bad-response');
});

test('a worker that dies in mid-answer makes the front connection end in a broken record, not in END_REQUEST', async () => {
  const { front } = await startedWith((request) => {
    request.encoder.stream(
      RecordType.STDOUT,
      request.id,
      Buffer.from('Content-Type: text/plain\r\n\r\nhalf'),
    );
    setImmediate(() => request.socket.destroy());
  });
  front.send(1, appParams('alice/blog'));
  await waitFor('end of the front connection', () => front.isEnded || front.isClosed);
  assert.equal(front.answer(1).end, undefined);
  assert.match(Buffer.concat(front.answer(1).stdout).toString(), /half$/);
  assert.ok(front.isBroken);
});

test('a request whose web server leaves while it is queued never reaches a worker', async () => {
  const held: WorkerRequest[] = [];
  const current = await start({
    apps: {
      'alice/blog': {
        worker: { onRequest: (request) => held.push(request) },
        facts: { limits: { maxWorkersPerApp: 1 } },
      },
    },
  });
  const first = await current.front();
  first.send(1, appParams('alice/blog', '/first'));
  await waitFor('first request at the worker', () => held.length === 1);
  const second = await current.front();
  second.send(1, appParams('alice/blog', '/second'));
  await waitFor('second request queued', () => current.router.counters.requestsActive === 2);
  second.close();
  await waitFor('second request gone', () => current.router.counters.requestsActive === 1);
  held[0]?.reply('Content-Type: text/plain\r\n\r\ndone');
  assert.equal(parseCgi(await first.ended(1)).body.toString(), 'done');
  const [running] = current.supervisor.running.values();
  assert.equal(running?.worker.requests, 1);
});

async function startedWith(onRequest: (request: WorkerRequest) => void): Promise<{
  rig: RouterRig;
  supervisor: RouterRig['supervisor'];
  front: Awaited<ReturnType<RouterRig['front']>>;
}> {
  const app = { worker: { onRequest } };
  const current = await start({ apps: { 'alice/blog': app, 'bob/shop': app } });
  return { rig: current, supervisor: current.supervisor, front: await current.front() };
}

test('a request finds its worker although several before it were killed at once, whatever its method', async () => {
  const { supervisor, front } = await startedWith(hello);
  const many = Array.from({ length: 4 }, (_, i) => i + 1);
  for (const id of many) front.send(id, appParams('alice/blog', `/${id}`));
  for (const id of many) await front.ended(id);
  // The processes are gone, and the supervisor has not said so yet.
  for (const { worker } of supervisor.running.values()) worker.kill();
  const post = appParams('alice/blog', '/post', { REQUEST_METHOD: 'POST' });
  assert.equal((await front.fetch(post, Buffer.from('x'), 9)).body.toString(), '/post:1');
});

test('a client that leaves before the head costs no worker', async () => {
  const held: WorkerRequest[] = [];
  const { supervisor, front } = await startedWith((request) => held.push(request));
  for (let round = 1; round <= 3; round += 1) {
    front.send(1, appParams('alice/blog', `/${round}`));
    await waitFor('the request at the worker', () => held.length === round);
    front.encoder.abortRequest(1);
    held.at(-1)?.reply('Content-Type: text/plain\r\n\r\nfor nobody');
    await front.ended(1);
  }
  assert.equal(supervisor.needs.length, 1);
  assert.deepEqual(
    supervisor.received.filter(({ type }) => type === 'retire'),
    [],
  );
});
