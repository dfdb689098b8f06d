// Wire checklist 1 to 16: what a web server may send and what it may not, on real sockets.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeNameValues, RecordType } from '../../../src/fcgi-protocol/index.js';
import { LIMITS } from '../../../src/limits.js';
import type { FrontClient } from '../../support/front-client.js';
import { appParams } from '../../support/router-rig.js';
import { waitFor } from '../../support/wait-for.js';
import {
  answerTo,
  assertServing,
  begin,
  closed,
  GET,
  hello,
  paramsRecords,
  POST,
  record,
  REFUSED,
  stages,
  stdin,
  TEXT,
  whole,
} from '../../support/wire-stage.js';

const start = stages();

test('item 1: a request that comes byte by byte is the same request', async () => {
  const { front } = await start(hello);
  const bytes = whole(7, POST, 'four');
  front.expect(7);
  for (const byte of bytes) {
    front.socket.write(Buffer.from([byte]));
    await new Promise(setImmediate);
  }
  assert.equal((await answerTo(front, 7)).body.toString(), '/:4');
});

test('item 1: an answer that comes byte by byte is the same answer', async () => {
  const { front } = await start(({ socket, id }) => {
    const bytes = Buffer.concat([
      record(RecordType.STDERR, id, 'said'),
      record(RecordType.STDOUT, id, `${TEXT}body`, { padding: 3 }),
      record(RecordType.STDOUT, id),
      record(RecordType.END_REQUEST, id, Buffer.alloc(8)),
    ]);
    const next = (at: number): void => {
      if (at === bytes.length) return;
      socket.write(bytes.subarray(at, at + 1), () => setImmediate(next, at + 1));
    };
    next(0);
  });
  const answer = await front.fetch(GET);
  assert.equal(answer.status, 200);
  assert.equal(answer.body.toString(), 'body');
});

test('item 2: a body in records of every size that matters arrives whole', async () => {
  const { front } = await start((request) => request.reply(`${TEXT}${request.body.toString()}`));
  for (const length of [0, 1, 8_191, 8_192, 8_193, 65_535]) {
    const body = 'x'.repeat(length);
    assert.equal((await front.fetch(POST, Buffer.from(body))).body.toString(), body);
  }
});

test('item 2: an answer in records of every size that matters arrives whole', async () => {
  const { front } = await start((request) => {
    const { encoder, id, params } = request;
    encoder.stream(RecordType.STDOUT, id, Buffer.from(TEXT));
    const part = Buffer.alloc(Number(params.get('QUERY_STRING')), 'x');
    for (let i = 0; i < 3; i += 1) encoder.stream(RecordType.STDOUT, id, part);
    encoder.endRequest(id, 0, 0);
  });
  for (const length of [0, 1, 8_191, 8_192, 8_193, 65_535]) {
    const { body } = await front.fetch(new Map(GET).set('QUERY_STRING', `${length}`));
    assert.equal(body.toString(), 'x'.repeat(3 * length));
  }
});

test('item 3: padding and reserved bytes of records mean nothing', async () => {
  const { front } = await start(hello);
  front.expect(1);
  const padded = (type: number, content: Buffer | string, padding: number): Buffer =>
    record(type, 1, content, { padding });
  const params = paramsRecords(1, POST);
  front.socket.write(
    Buffer.concat([
      padded(RecordType.BEGIN_REQUEST, Buffer.from([0, 1, 1, 0, 0, 0, 0, 0]), 255),
      params,
      padded(RecordType.STDIN, 'abc', 7),
      padded(RecordType.STDIN, '', 255),
    ]),
  );
  assert.equal((await answerTo(front, 1)).body.toString(), '/:3');
});

describe('what ends the connection, and no other one', () => {
  const long = Buffer.alloc(LIMITS.getValuesMaxBytes + 1);
  const rows: readonly (readonly [string, Buffer])[] = [
    ...[0, 2, 255].map(
      (version) => [`item 5: version ${version}`, record(4, 1, '', { version })] as const,
    ),
    ...[3, 6, 7, 10].flatMap((type) => [
      [`item 7: type ${type} with an id`, record(type, 1)] as const,
      [`item 7: type ${type} without one`, record(type, 0)] as const,
    ]),
    ...[0, 7, 9].map(
      (length) => [`item 8: BEGIN of ${length} bytes`, begin(1, 1, 1, length)] as const,
    ),
    ['item 9: BEGIN without an id', begin(0)],
    ['item 9: BEGIN for an id that is open', Buffer.concat([begin(1), begin(1)])],
    ['item 23: STDIN before the end of PARAMS', Buffer.concat([begin(1), stdin(1, 'x')])],
    ['item 14: GET_VALUES that is too long', record(RecordType.GET_VALUES, 0, long)],
    [
      'item 14: GET_VALUES that is cut short',
      record(RecordType.GET_VALUES, 0, Buffer.from([9, 0, 65])),
    ],
  ];
  for (const [what, bytes] of rows) {
    test(what, async () => {
      const { rig, front } = await start(hello);
      const before = rig.router.counters.protocolErrors;
      front.socket.write(bytes);
      await closed(front);
      assert.equal(rig.router.counters.protocolErrors, before + 1);
      await assertServing(rig);
    });
  }
});

async function management(front: FrontClient, count: number): Promise<FrontClient['management']> {
  await waitFor('management records', () => front.management.length >= count);
  return front.management;
}

test('item 6: types that nobody knows are answered without an id and ignored with one', async () => {
  const { front } = await start(hello);
  front.expect(1);
  const unknown = [0, ...Array.from({ length: 255 - 10 }, (_, i) => 11 + i)];
  front.socket.write(
    Buffer.concat([
      begin(1),
      ...unknown.map((type) => record(type, 1, 'what')),
      paramsRecords(1, POST),
      ...unknown.map((type) => record(type, 0, 'what')),
      ...unknown.map((type) => record(type, 1)),
      stdin(1),
    ]),
  );
  assert.equal((await answerTo(front, 1)).status, 200);
  const answers = await management(front, unknown.length);
  assert.deepEqual(
    answers.map(({ type, content }) => [type, content[0], content.length]),
    unknown.map((type) => [RecordType.UNKNOWN_TYPE, type, 8]),
  );
});

test('item 8: reserved bytes and unknown flags of BEGIN are ignored', async () => {
  const { front } = await start(hello);
  front.expect(1);
  front.socket.write(Buffer.concat([begin(1, 1, 0xff), paramsRecords(1, GET), stdin(1)]));
  assert.equal((await answerTo(front, 1)).status, 200);
  assert.equal((await front.fetch(GET)).status, 200);
});

test('item 10: an id is free after END although its STDIN has not ended, and the old STDIN is forgotten', async () => {
  const { front } = await start(hello);
  front.expect(1);
  front.socket.write(Buffer.concat([begin(1), paramsRecords(1, REFUSED), stdin(1, 'lost')]));
  assert.equal((await answerTo(front, 1)).status, 403);
  front.expect(1);
  front.socket.write(whole(1, POST, 'new'));
  assert.equal((await answerTo(front, 1)).body.toString(), '/:3');
});

test('item 11: records for ids that are not open are ignored', async () => {
  const { front } = await start(hello);
  front.socket.write(
    Buffer.concat([2, 4, 5, 8].flatMap((type) => [record(type, 9, 'x'), record(type, 9)])),
  );
  assert.equal((await front.fetch(GET)).status, 200);
  front.socket.write(Buffer.concat([2, 4, 5, 8].map((type) => record(type, 1, 'x'))));
  assert.equal((await front.fetch(GET)).status, 200);
});

test('item 12: ids at the ends of their range, and one id for many requests', async () => {
  const { front } = await start(hello);
  for (const id of [1, 256, 65_535]) {
    assert.equal((await front.fetch(POST, Buffer.from('abc'), id)).body.toString(), '/:3');
  }
  for (let i = 0; i < 300; i += 1) {
    assert.equal((await front.fetch(appParams('alice/none'), undefined, 5)).status, 404);
  }
});

test('item 12: seventy thousand requests on one connection, each id again as soon as it has ended', async () => {
  const count = 70_000;
  const { rig, front } = await start(hello);
  let ended = 0;
  const next = (): void => {
    ended += 1;
    if (ended < count) front.socket.write(whole(1 + (ended % 2), REFUSED));
  };
  front.onEnd = next;
  front.socket.write(whole(1, REFUSED));
  await waitFor('all of them', () => ended === count, 120_000);
  assert.equal(rig.router.counters.requestsTotal, count);
  front.onEnd = undefined;
  assert.equal((await front.fetch(GET)).status, 200);
});

test('item 13: a thousand requests are open on one connection, and end out of order', async () => {
  const count = LIMITS.frontRequestsPerConnectionMaxCount;
  const { front, rig } = await start(
    (request) => request.reply(`${TEXT}${request.body.toString()}`),
    { facts: { limits: { queueLength: 2_000 } } },
  );
  const ids = Array.from({ length: count }, (_, i) => i + 1);
  await front.fetch(GET, undefined, 1); // how long the queue may be is known from now on
  for (const id of ids) front.expect(id);
  front.socket.write(Buffer.concat(ids.flatMap((id) => [begin(id), paramsRecords(id, POST)])));
  await waitFor('all of them', () => rig.router.counters.requestsActive === count);
  front.socket.write(Buffer.concat(ids.toReversed().map((id) => stdin(id, `body ${id}`))));
  front.socket.write(Buffer.concat(ids.map((id) => stdin(id))));
  for (const id of ids) assert.equal((await answerTo(front, id)).body.toString(), `body ${id}`);
});

test('item 13: one request more than that ends the connection', async () => {
  const { front } = await start(hello);
  const ids = Array.from(
    { length: LIMITS.frontRequestsPerConnectionMaxCount + 1 },
    (_, i) => i + 1,
  );
  front.socket.write(Buffer.concat(ids.map((id) => begin(id))));
  await closed(front);
});

describe('items 14 and 15: GET_VALUES', () => {
  const asked = (names: readonly string[], value = ''): Buffer =>
    Buffer.concat(
      names.flatMap((name) => [
        Buffer.from([name.length, value.length]),
        Buffer.from(name + value),
      ]),
    );
  const ALL = ['FCGI_MAX_CONNS', 'FCGI_MAX_REQS', 'FCGI_MPXS_CONNS'];
  const rows: readonly (readonly [string, Buffer, readonly string[]])[] = [
    ['all names', asked(ALL), ALL],
    ['names with values', asked(ALL, 'x'), ALL],
    ['unknown names', asked(['FCGI_NONE', 'FCGI_MPXS_CONNS', 'X']), ['FCGI_MPXS_CONNS']],
    ['no names', Buffer.alloc(0), []],
  ];
  for (const [what, content, names] of rows) {
    test(`${what}, right before a request and in the middle of one`, async () => {
      const { front } = await start(hello);
      front.expect(1);
      const ask = record(RecordType.GET_VALUES, 0, content);
      front.socket.write(
        Buffer.concat([ask, begin(1), ask, paramsRecords(1, POST), stdin(1, 'a'), ask, stdin(1)]),
      );
      assert.equal((await answerTo(front, 1)).body.toString(), '/:1');
      for (const answer of await management(front, 3)) {
        assert.equal(answer.type, RecordType.GET_VALUES_RESULT);
        const values = decodeNameValues(answer.content);
        assert.deepEqual([...values.keys()], names);
        if (names.length > 0) assert.equal(values.get('FCGI_MPXS_CONNS'), '1');
      }
    });
  }

  test('byte by byte it is the same question', async () => {
    const { front } = await start(hello);
    for (const byte of record(RecordType.GET_VALUES, 0, asked(ALL))) {
      front.socket.write(Buffer.from([byte]));
      await new Promise(setImmediate);
    }
    const [answer] = await management(front, 1);
    assert.deepEqual([...decodeNameValues(answer?.content ?? Buffer.alloc(0)).keys()], ALL);
  });

  test('with an id it is ignored', async () => {
    const { front } = await start(hello);
    front.socket.write(record(RecordType.GET_VALUES, 3, asked(ALL)));
    assert.equal((await front.fetch(GET)).status, 200);
    assert.deepEqual(front.management, []);
  });
});

describe('item 16: a web server that goes away', () => {
  const rows: readonly (readonly [string, Buffer])[] = [
    ['between records', Buffer.alloc(0)],
    ['inside a header', begin(1).subarray(0, 5)],
    ['inside a record', begin(1).subarray(0, 12)],
    ['inside the params', Buffer.concat([begin(1), record(4, 1, 'xx').subarray(0, 9)])],
  ];
  for (const [what, bytes] of rows) {
    for (const how of ['end', 'destroy'] as const) {
      test(`${what}, by ${how === 'end' ? 'FIN' : 'closing'}`, async () => {
        const { rig, front } = await start(hello);
        if (bytes.length > 0) front.socket.write(bytes);
        await waitFor('the bytes', () => front.socket.writableLength === 0);
        front.socket[how]();
        await waitFor('the end', () => rig.router.counters.frontConnections === 0);
        assert.equal(rig.router.counters.requestsActive, 0);
        await assertServing(rig);
      });
    }
  }
});
