// Connections to workers: kept where the runtime stands it, closed before they are in the way, and never a reason to lose a request.
import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import type { ConnectionReuse } from '../../../src/config/index.js';
import { TEST_RUNTIME } from '../../support/config.js';
import type { FakeApp, FakeRunning } from '../../support/fake-supervisor.js';
import type { WorkerRequest } from '../../support/fake-worker.js';
import type { CgiAnswer, FrontClient } from '../../support/front-client.js';
import { appParams, RouterRig } from '../../support/router-rig.js';
import { waitFor } from '../../support/wait-for.js';

let rig: RouterRig | undefined;
afterEach(async () => {
  await rig?.stop();
  rig = undefined;
});

const HEAD = 'Content-Type: text/plain\r\n\r\n';
const GET = appParams('alice/blog');
const POST = appParams('alice/blog', '/', { REQUEST_METHOD: 'POST' });

interface Stage {
  readonly front: FrontClient;
  readonly supervisor: RouterRig['supervisor'];
  readonly running: () => FakeRunning;
  readonly get: () => Promise<CgiAnswer>;
  readonly post: () => Promise<CgiAnswer>;
}

async function stage(keepConnections: ConnectionReuse, app: FakeApp): Promise<Stage> {
  rig = await RouterRig.start({
    apps: { 'alice/blog': app },
    config: { runtimes: new Map([['fastcgi', { ...TEST_RUNTIME, keepConnections }]]) },
  });
  const { supervisor } = rig;
  const front = await rig.front();
  return {
    front,
    supervisor,
    running: () => {
      const [first] = supervisor.running.values();
      assert.ok(first !== undefined);
      return first;
    },
    get: () => front.fetch(GET),
    post: () => front.fetch(POST, Buffer.from('body')),
  };
}

/** Answers with the request id and how often this worker was asked; `seen` has the rest. */
function teller(seen: WorkerRequest[]): FakeApp {
  return {
    worker: {
      onRequest: (request) => {
        seen.push(request);
        request.reply(`${HEAD}${request.id}/${seen.length}`);
      },
    },
  };
}

const flagsOf = (seen: readonly WorkerRequest[]): string => seen.map(({ flags }) => flags).join('');

describe('items 74 and 81: a kept connection', () => {
  test('always: one connection has every request, one after the other, each with another id', async () => {
    const seen: WorkerRequest[] = [];
    const { get, post, running } = await stage('always', teller(seen));
    assert.equal((await get()).body.toString(), '1/1');
    assert.equal((await get()).body.toString(), '2/2');
    assert.equal((await post()).body.toString(), '3/3');
    assert.equal((await get()).body.toString(), '4/4');
    assert.equal(flagsOf(seen), '1111');
    assert.equal(running().worker.connections, 1);
    assert.deepEqual(running().worker.violations, []);
  });

  test('after-bodiless: a request with a body has the connection to itself from then on', async () => {
    const seen: WorkerRequest[] = [];
    const { get, post, running } = await stage('after-bodiless', teller(seen));
    for (const ask of [get, get, post, get, get]) await ask();
    assert.equal(flagsOf(seen), '11011');
    assert.equal(running().worker.connections, 2);
    assert.deepEqual(running().worker.violations, []);
  });

  test('never: each request has a connection of its own', async () => {
    const seen: WorkerRequest[] = [];
    const { get, post, running } = await stage('never', teller(seen));
    for (const ask of [get, get, post]) await ask();
    assert.equal(flagsOf(seen), '000');
    assert.equal(running().worker.connections, 3);
  });

  test('a concurrent worker has at most one kept connection for each request that it takes at once', async () => {
    const seen: WorkerRequest[] = [];
    const { front, running } = await stage('always', { ...teller(seen), concurrency: 3 });
    for (let round = 0; round < 4; round += 1) {
      for (let id = 1; id <= 6; id += 1) front.send(id, GET);
      for (let id = 1; id <= 6; id += 1) await front.ended(id);
    }
    assert.equal(seen.length, 24);
    assert.ok(running().worker.sockets.size <= 3);
    assert.deepEqual(running().worker.violations, []);
  });
});

describe('item 75: a kept connection that its worker closes', () => {
  test('after each answer, although asked to keep it: it is not asked again, and nothing is lost', async () => {
    const seen: WorkerRequest[] = [];
    const { get, post, running, supervisor } = await stage('always', {
      worker: {
        onRequest: (request) => {
          seen.push(request);
          request.reply(`${HEAD}x`);
          request.socket.end();
        },
      },
    });
    for (const ask of [get, get, post, get, post]) assert.equal((await ask()).status, 200);
    assert.equal(seen.length, 5);
    assert.equal(supervisor.needs.length, 1);
    assert.match(flagsOf(seen), /^1{1,2}0{3,4}$/);
    assert.equal(running().worker.connections, 5);
  });

  test('while it is idle: the next request has another one, whatever its method', async () => {
    const seen: WorkerRequest[] = [];
    const { get, post, running, supervisor } = await stage('always', teller(seen));
    for (const ask of [get, get, post]) assert.equal((await ask()).status, 200);
    for (const socket of running().worker.sockets) socket.destroy();
    assert.equal((await post()).body.toString(), '1/4');
    assert.equal(supervisor.needs.length, 1);
  });

  test('instead of answering: what may be sent twice is, to the same worker; the rest is a 502, once', async () => {
    const seen: WorkerRequest[] = [];
    const { get, post, supervisor } = await stage('always', {
      worker: {
        onRequest: (request) => {
          seen.push(request);
          const isLost = request.id > 2;
          if (isLost) request.socket.destroy();
          else request.reply(`${HEAD}${request.id}`);
        },
      },
    });
    for (const id of ['1', '2', '1', '2', '1']) assert.equal((await get()).body.toString(), id);
    assert.equal((await get()).body.toString(), '2');
    assert.equal(supervisor.needs.length, 1);
    const before = seen.length;
    const answer = await post();
    assert.equal(answer.status, 502);
    assert.equal(answer.headers.get('x-usherd-reason'), 'worker-died');
    assert.equal(seen.length, before + 1);
  });
});

describe('item 40: a worker that reads no more of a body', () => {
  const big = Buffer.alloc(3_000_000, 'b');

  test('and has answered: the answer is delivered', async () => {
    const { front, supervisor } = await stage('always', {
      worker: {
        onHead: (request) => {
          request.socket.pause();
          request.reply(`${HEAD}enough`);
          setImmediate(() => request.socket.destroySoon());
        },
      },
    });
    for (let i = 0; i < 3; i += 1) {
      assert.equal((await front.fetch(POST, big)).body.toString(), 'enough');
    }
    assert.equal(supervisor.needs.length, 1);
  });

  test('and is gone without an answer: a 502 at once', async () => {
    const { front } = await stage('never', {
      worker: { onHead: (request) => void request.socket.destroy() },
    });
    const answer = await front.fetch(POST, big);
    assert.equal(answer.status, 502);
    assert.equal(answer.headers.get('x-usherd-reason'), 'worker-died');
  });
});

describe('items 47 and 48: a worker that goes on after its end', () => {
  for (const [what, more] of [
    ['another END', (r: WorkerRequest) => r.encoder.endRequest(r.id, 0, 0)],
    ['output', (r: WorkerRequest) => r.encoder.stream(6, r.id, Buffer.from('TOO LATE'))],
    ['errors', (r: WorkerRequest) => r.encoder.stream(7, r.id, Buffer.from('too late'))],
    ['half a record', (r: WorkerRequest) => void r.socket.write(Buffer.from('0106', 'hex'))],
  ] as const) {
    test(`${what}: its connection is not used again, and the next answer is its own (T82)`, async () => {
      let count = 0;
      const { get, running } = await stage('always', {
        worker: {
          onRequest: (request) => {
            count += 1;
            request.socket.cork();
            request.reply(`${HEAD}${count}`);
            more(request);
            request.socket.uncork();
          },
        },
      });
      for (const body of ['1', '2', '3']) assert.equal((await get()).body.toString(), body);
      assert.equal(running().worker.connections, 3);
    });
  }
});

test('item 83: the kept connection of a worker that is retired is closed', async () => {
  const { get, running, supervisor } = await stage('always', { ...teller([]), maxRequests: 3 });
  supervisor.stopsGently = true;
  for (let i = 0; i < 3; i += 1) await get();
  await waitFor('retire', () => supervisor.received.some(({ type }) => type === 'retire'));
  await waitFor('the end of the connection', () => running().worker.sockets.size === 0);
});
