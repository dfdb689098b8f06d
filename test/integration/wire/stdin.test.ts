// Wire checklist 30 to 39: bodies on their way in, on real sockets.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { RecordType } from '../../../src/fcgi-protocol/index.js';
import { LIMITS } from '../../../src/limits.js';
import type { WorkerRequest } from '../../support/fake-worker.js';
import type { FrontClient } from '../../support/front-client.js';
import { waitFor } from '../../support/wait-for.js';
import {
  answerTo,
  begin,
  GET,
  hello,
  paramsRecords,
  POST,
  reasonOf,
  REFUSED,
  stages,
  stdin,
  TEXT,
  whole,
} from '../../support/wire-stage.js';

const start = stages();

test('item 30: a request without a body is a request', async () => {
  const { front } = await start(hello);
  front.expect(1);
  front.socket.write(whole(1, POST));
  assert.equal((await answerTo(front, 1)).body.toString(), '/:0');
});

test(
  'item 31: a body far larger than memory may be passes whole, while others are served, on its connection, too',
  { timeout: 300_000 },
  async () => {
    let sum = 0;
    const { front, rig } = await start((request) => {
      sum += request.body.length;
      hello(request);
    });
    const block = Buffer.alloc(65_535, 'x');
    const count = 800;
    front.expect(1);
    front.socket.write(Buffer.concat([begin(1), paramsRecords(1, POST)]));
    for (let i = 0; i < count; i += 1) {
      if (!front.socket.write(stdin(1, block))) {
        await waitFor('room on the connection', () => front.socket.writableLength === 0, 60_000);
      }
      assert.ok(rig.router.spoolBudget.memoryBytes <= LIMITS.bodyMemoryTotalMaxBytes);
    }
    const other = await rig.front();
    assert.equal((await other.fetch(GET)).status, 200);
    front.expect(2);
    front.socket.write(whole(2));
    assert.equal((await answerTo(front, 2)).status, 200);
    front.socket.write(stdin(1));
    assert.equal((await answerTo(front, 1)).body.toString(), `/:${count * block.length}`);
    assert.equal(sum, count * block.length);
  },
);

test('item 32: STDIN after its end is ignored', async () => {
  const { front } = await start(hello);
  front.expect(1);
  front.socket.write(
    Buffer.concat([begin(1), paramsRecords(1, POST), stdin(1, 'abc'), stdin(1), stdin(1, 'late')]),
  );
  assert.equal((await answerTo(front, 1)).body.toString(), '/:3');
});

describe('item 33: a body of another length than announced is a 400', () => {
  for (const announced of ['2', '4', '0']) {
    test(`${announced} bytes announced, 3 sent`, async () => {
      const { front, supervisor } = await start(hello);
      const answer = await front.fetch(
        new Map(POST).set('CONTENT_LENGTH', announced),
        Buffer.from('abc'),
      );
      assert.equal(answer.status, 400);
      assert.equal(reasonOf(answer), 'body-mismatch');
      assert.equal(supervisor.needs.length, 0);
    });
  }
});

test('item 34: a body without a length is spooled and has one; over max_body it is a 413', async () => {
  const { front } = await start((r) => r.reply(`${TEXT}${r.params.get('CONTENT_LENGTH') ?? ''}`), {
    facts: { limits: { maxBodyBytes: 100_000 } },
  });
  assert.equal((await front.fetch(GET)).status, 200); // the limit is known from now on
  assert.equal((await front.fetch(POST, Buffer.alloc(100_000))).body.toString(), '100000');
  const answer = await front.fetch(POST, Buffer.alloc(100_001));
  assert.equal(answer.status, 413);
  assert.equal(reasonOf(answer), 'body-too-large');
});

test('an upload over max_body is in the log of the application, announced or not', async () => {
  const { front, rig } = await start(hello, { facts: { limits: { maxBodyBytes: 100_000 } } });
  await front.fetch(GET);
  const log = (): string => readFileSync(join(rig.directory, 'log/alice/blog.log'), 'utf8');
  const announced = new Map(POST).set('CONTENT_LENGTH', '100001');
  for (const params of [announced, POST]) {
    const answer = await front.fetch(params, Buffer.alloc(100_001));
    assert.equal(answer.status, 413);
    const name = answer.headers.get('x-usherd-request-id') ?? '';
    const line = new RegExp(` ${name} usherd body-too-large: .*max_body`);
    await waitFor('the line', () => line.test(log()));
  }
});

test('item 35: a hundred thousand bytes in records of one are one body', async () => {
  let reads = 0;
  const { front } = await start((r) => r.reply(`${TEXT}${r.body.length}`), {
    worker: { onHead: (r) => void r.socket.on('data', () => (reads += 1)) },
  });
  const one = stdin(1, 'x');
  front.expect(1);
  front.socket.write(Buffer.concat([begin(1), paramsRecords(1, POST)]));
  front.socket.write(Buffer.concat([...Array.from({ length: 100_000 }, () => one), stdin(1)]));
  assert.equal((await answerTo(front, 1)).body.toString(), '100000');
  assert.ok(reads < 1_000, `${reads} reads of the worker`);
});

test('item 36: a web server that leaves in the middle of a body has sent no body: no worker hears of it', async () => {
  const { front, rig, supervisor } = await start(hello);
  front.expect(1);
  front.socket.write(Buffer.concat([begin(1), paramsRecords(1, POST), stdin(1, 'half')]));
  await waitFor('the request', () => rig.router.counters.requestsActive === 1);
  front.socket.end();
  await waitFor('the end of the request', () => rig.router.counters.requestsActive === 0);
  assert.equal(supervisor.needs.length, 0);
});

test('item 37: a web server that leaves while the worker runs ends the connection of the worker', async () => {
  const held: WorkerRequest[] = [];
  const { front, rig, supervisor } = await start((request) => void held.push(request));
  front.expect(1);
  front.socket.write(whole(1));
  await waitFor('the request at the worker', () => held.length === 1);
  front.close();
  await waitFor('the end of the worker connection', () => held[0]?.socket.destroyed);
  await waitFor('the end of the request', () => rig.router.counters.requestsActive === 0);
  const [running] = supervisor.running.values();
  assert.deepEqual(running?.worker.violations, []);
});

describe('an answer that comes before the body has ended', () => {
  async function answeredEarly(flags: number): Promise<FrontClient> {
    const { front } = await start(hello);
    front.expect(1);
    front.socket.write(
      Buffer.concat([begin(1, 1, flags), paramsRecords(1, REFUSED), stdin(1, 'x')]),
    );
    assert.equal((await answerTo(front, 1)).status, 403);
    for (let i = 0; i < 50; i += 1) front.socket.write(stdin(1, Buffer.alloc(60_000)));
    await waitFor('the rest to be read', () => front.socket.writableLength === 0);
    return front;
  }

  test('item 38: the rest of the body is read, and the connection lives on', async () => {
    const front = await answeredEarly(1);
    front.socket.write(stdin(1));
    assert.equal((await front.fetch(GET)).status, 200);
  });

  test('item 39: without KEEP_CONN our side is closed at once, and the other read on', async () => {
    const front = await answeredEarly(0);
    await waitFor('FIN', () => front.isEnded);
    assert.equal(front.isClosed, false); // else the web server throws the answer away
    front.socket.write(stdin(1));
    front.socket.end();
    await waitFor('the end of both sides', () => front.isClosed);
  });

  test('item 39: a body that never ends is read for a while, and then no more', async (t) => {
    // In the place of half a minute: what is tried is that the timer is there.
    const bound = LIMITS as { frontLingerMs: number };
    const { frontLingerMs } = bound;
    t.after(() => (bound.frontLingerMs = frontLingerMs));
    bound.frontLingerMs = 500;
    const front = await answeredEarly(0);
    const fed = setInterval(() => front.socket.write(stdin(1, 'x')), 20);
    try {
      await waitFor('FIN', () => front.isEnded);
      const endedMs = performance.now();
      await waitFor('the end of both sides', () => front.isClosed);
      assert.ok(performance.now() - endedMs > 300, 'it was read on');
    } finally {
      clearInterval(fed);
    }
  });
});

test('item 67: DATA without a Filter changes nothing', async () => {
  const { front } = await start(hello);
  front.expect(1);
  front.socket.write(begin(1));
  front.socket.write(paramsRecords(1, POST));
  front.encoder.stream(RecordType.DATA, 1, Buffer.from('x'));
  front.socket.write(Buffer.concat([stdin(1, 'ab'), stdin(1)]));
  assert.equal((await answerTo(front, 1)).body.toString(), '/:2');
});
