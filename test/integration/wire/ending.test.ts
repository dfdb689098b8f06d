// Wire checklist 61 to 71, 87 and 90: how requests and front connections end, on real sockets.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { describe, test } from 'node:test';
import { RecordType } from '../../../src/fcgi-protocol/index.js';
import type { WorkerRequest } from '../../support/fake-worker.js';
import { FrontClient, parseCgi } from '../../support/front-client.js';
import { appParams } from '../../support/router-rig.js';
import { waitFor } from '../../support/wait-for.js';
import {
  answerTo,
  begin,
  GET,
  hello,
  paramsRecords,
  POST,
  reasonOf,
  record,
  stages,
  stdin,
  TEXT,
  whole,
} from '../../support/wire-stage.js';

const start = stages();
const abort = (id: number): Buffer => record(RecordType.ABORT_REQUEST, id);

test('item 61: with KEEP_CONN the connection stays, without it ends after the answer', async () => {
  const { front } = await start(hello);
  for (let i = 0; i < 3; i += 1) assert.equal((await front.fetch(GET)).status, 200);
  assert.equal(front.isEnded, false);
  front.expect(1);
  front.socket.write(whole(1, GET, '', 0));
  assert.equal((await answerTo(front, 1)).status, 200);
  await waitFor('the end of the connection', () => front.isEnded);
});

test('item 62: without KEEP_CONN on one of several requests the connection ends when all have', async () => {
  const held = new Map<string, WorkerRequest>();
  const { front } = await start((request) =>
    held.set(request.params.get('QUERY_STRING') ?? '', request),
  );
  for (const id of [1, 2]) front.expect(id);
  const named = (name: string): Map<string, string> => new Map(GET).set('QUERY_STRING', name);
  front.socket.write(Buffer.concat([whole(1, named('a')), whole(2, named('b'), '', 0)]));
  await waitFor('both', () => held.size === 2);
  held.get('b')?.reply(`${TEXT}b`);
  assert.equal((await answerTo(front, 2)).body.toString(), 'b');
  assert.equal(front.isEnded, false);
  held.get('a')?.reply(`${TEXT}a`);
  assert.equal((await answerTo(front, 1)).body.toString(), 'a');
  await waitFor('the end of the connection', () => front.isEnded);
});

describe('item 63: ABORT_REQUEST is answered with one END', () => {
  const rows: readonly (readonly [string, Buffer])[] = [
    ['in the params', Buffer.concat([begin(1), record(4, 1, Buffer.from([1, 1]))])],
    ['in the body', Buffer.concat([begin(1), paramsRecords(1, POST), stdin(1, 'half')])],
  ];
  for (const [what, bytes] of rows) {
    test(what, async () => {
      const { front, supervisor } = await start(hello);
      front.expect(1);
      front.socket.write(Buffer.concat([bytes, abort(1), abort(1)]));
      await front.ended(1);
      assert.equal((await front.fetch(GET, undefined, 2)).status, 200);
      assert.equal(front.answer(1).endCount, 1);
      assert.equal(supervisor.needs.length, 1);
    });
  }

  test('while it runs: the connection of its worker is closed', async () => {
    const held: WorkerRequest[] = [];
    const { front } = await start((request) => void held.push(request));
    front.send(1, GET);
    await waitFor('the request at the worker', () => held.length === 1);
    front.socket.write(abort(1));
    await front.ended(1);
    await waitFor('the end of the worker connection', () => held[0]?.socket.destroyed);
  });

  test('after its END and for an unknown id it is ignored', async () => {
    const { front } = await start(hello);
    await front.fetch(GET);
    front.socket.write(Buffer.concat([abort(1), abort(77)]));
    assert.equal((await front.fetch(GET, undefined, 2)).status, 200);
    assert.equal(front.answer(1).endCount, 1);
    assert.equal(front.answer(77).endCount, 0);
  });
});

test('items 64 and 65: aborting one of many, running or queued, touches no other, and no worker sees the queued', async () => {
  const held: WorkerRequest[] = [];
  const { front, supervisor } = await start((request) => void held.push(request), {
    facts: { limits: { maxWorkersPerApp: 1 } },
  });
  const named = (id: number): Map<string, string> => new Map(GET).set('QUERY_STRING', `${id}`);
  for (const id of [1, 2, 3]) front.send(id, named(id));
  await waitFor('the first at the worker', () => held.length === 1);
  front.socket.write(abort(2));
  await front.ended(2);
  held[0]?.reply(`${TEXT}1`);
  assert.equal((await answerTo(front, 1)).body.toString(), '1');
  await waitFor('the third at the worker', () => held.length === 2);
  held[1]?.reply(`${TEXT}3`);
  assert.equal((await answerTo(front, 3)).body.toString(), '3');
  assert.deepEqual(
    held.map((r) => r.params.get('QUERY_STRING')),
    ['1', '3'],
  );
  assert.equal(supervisor.needs.length, 1);
});

describe('item 66: roles that are not served are an answer and UNKNOWN_ROLE', () => {
  for (const role of [0, 7, 255, 65_535]) {
    test(`role ${role}`, async () => {
      const { front, supervisor } = await start(hello);
      front.expect(1);
      front.socket.write(Buffer.concat([begin(1, role), paramsRecords(1, GET), stdin(1)]));
      const answer = parseCgi(await front.ended(1));
      assert.equal(answer.status, 500);
      assert.equal(reasonOf(answer), 'unknown-role');
      assert.deepEqual(front.answer(1).end, { appStatus: 0, protocolStatus: 3 });
      assert.equal((await front.fetch(GET)).status, 200);
      assert.equal(supervisor.needs.length, 1);
    });
  }
});

test('items 68 and 69: an idle connection stays until the router stops, which closes it cleanly', async () => {
  const { front, rig } = await start(hello);
  await front.fetch(GET);
  assert.equal(front.isEnded, false);
  await rig.router.stop();
  await waitFor('the end of the connection', () => front.isEnded);
  assert.equal(front.isBroken, false);
});

test('item 69: the front socket is there again under its name when the router is', async () => {
  const { rig } = await start(hello);
  const before = await rig.front();
  assert.equal((await before.fetch(GET)).status, 200);
  await rig.restartRouter();
  const after = await rig.front();
  assert.equal((await after.fetch(GET)).status, 200);
});

/** A client and the router of a test are one process: two descriptors a connection. */
const BURST = descriptorsMax() >= 4_096 ? 1_000 : 400;

function descriptorsMax(): number {
  const [, hard] =
    /^Max open files +\S+ +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
  return Number(hard ?? 1_024);
}

test(`item 70: ${BURST} connections at once are all accepted`, async () => {
  const { rig } = await start(hello, { facts: { limits: { queueLength: 1_000 } } });
  const clients = await Promise.all(
    Array.from({ length: BURST }, () => FrontClient.connect(rig.frontPath)),
  );
  try {
    await Promise.all(clients.map((client) => client.fetch(appParams('alice/none'))));
    assert.equal(rig.router.counters.frontConnections, BURST + 1);
  } finally {
    for (const client of clients) client.close();
  }
});

test('item 68: a connection that waits for its next request has no timer', async (t) => {
  const { rig } = await start(hello);
  const timersOf = (): number =>
    process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const before = timersOf();
  const timeouts = t.mock.method(net.Socket.prototype, 'setTimeout');
  const fronts = await Promise.all(Array.from({ length: 50 }, () => rig.front()));
  for (const front of fronts) assert.equal((await front.fetch(GET)).status, 200);
  await waitFor('those of the requests to be gone', () => timersOf() < before + fronts.length / 2);
  assert.deepEqual(
    timeouts.mock.calls.filter(({ arguments: [ms] }) => ms > 0),
    [],
  );
  for (const front of fronts) assert.equal(front.isEnded, false);
});

test('item 71: the answer still goes to a web server that has only stopped sending', async () => {
  const held: WorkerRequest[] = [];
  const { front, rig } = await start((request) => void held.push(request));
  front.expect(1);
  front.socket.end(whole(1));
  await waitFor('the request at the worker', () => held.length === 1);
  held[0]?.reply(`${TEXT}late`);
  assert.equal((await answerTo(front, 1)).body.toString(), 'late');
  await waitFor('the end of the connection', () => rig.router.counters.frontConnections === 0);
});

test('item 87: tagged bodies of two users, interleaved record by record, never meet', async () => {
  const { front } = await start((request) =>
    request.reply(`${TEXT}${request.params.get('SCRIPT_NAME') ?? ''}|${request.body.toString()}`),
  );
  const ids = Array.from({ length: 40 }, (_, i) => i + 1);
  const appOf = (id: number): string => (id % 2 === 0 ? 'alice/blog' : 'bob/shop');
  const post = { REQUEST_METHOD: 'POST' };
  for (const id of ids) front.expect(id);
  front.socket.write(
    Buffer.concat(
      ids.flatMap((id) => [begin(id), paramsRecords(id, appParams(appOf(id), '/', post))]),
    ),
  );
  for (let round = 0; round < 20; round += 1) {
    front.socket.write(Buffer.concat(ids.map((id) => stdin(id, `<${appOf(id)}-${id}-${round}>`))));
  }
  front.socket.write(Buffer.concat(ids.map((id) => stdin(id))));
  for (const id of ids) {
    const body = Array.from({ length: 20 }, (_, round) => `<${appOf(id)}-${id}-${round}>`).join('');
    const [user = '', app = ''] = appOf(id).split('/');
    assert.equal((await answerTo(front, id)).body.toString(), `/~${user}/apps/${app}|${body}`);
  }
});

test('item 90: an application at its limit does not delay another', async () => {
  const held: WorkerRequest[] = [];
  const { front, rig } = await start(
    (request) => {
      if (request.params.get('SCRIPT_NAME')?.includes('blog')) held.push(request);
      else hello(request);
    },
    { facts: { limits: { maxWorkersPerApp: 1, queueLength: 2 } } },
    {},
  );
  for (const id of [1, 2, 3]) front.send(id, GET);
  await waitFor('the first at the worker', () => held.length === 1);
  front.send(4, GET);
  const refused = parseCgi(await front.ended(4));
  assert.equal(refused.status, 503);
  assert.equal(reasonOf(refused), 'queue-full');
  assert.ok(refused.headers.has('retry-after'));
  assert.equal((await front.fetch(appParams('bob/shop'), undefined, 5)).status, 200);
  assert.equal(rig.router.counters.requestsActive, 3);
});
