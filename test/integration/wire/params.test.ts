// Wire checklist 19 to 29 and 89: params as they come, and as a worker gets them, on real sockets.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LIMITS } from '../../../src/limits.js';
import { RecordType } from '../../../src/fcgi-protocol/index.js';
import { filledUp } from '../../support/full-params.js';
import {
  answerTo,
  begin,
  GET,
  hello,
  pairs,
  paramsRecords,
  POST,
  reasonOf,
  record,
  stages,
  stdin,
  TEXT,
} from '../../support/wire-stage.js';

const start = stages();
const PARAMS = RecordType.PARAMS;

describe('params that are refused, with an answer, on a connection that lives on', () => {
  const long = (name: string, bytes: number): Buffer =>
    pairs(new Map(GET).set(name, 'x'.repeat(bytes)));
  const many = new Map(
    Array.from({ length: LIMITS.paramsPairMaxCount + 1 }, (_, i) => [`N${i}`, '']),
  );
  const rows: readonly (readonly [string, Buffer, number, string])[] = [
    ['item 19: a length past the end', Buffer.from([4, 200, 65, 66]), 431, 'params-too-large'],
    ['item 19: a value past the end', Buffer.from([1, 9, 65, 66]), 400, 'bad-params'],
    [
      'item 19: lengths of 2^31-1',
      Buffer.from('ffffffffffffffff41', 'hex'),
      431,
      'params-too-large',
    ],
    [
      'item 20: a value over its limit',
      long('HTTP_A', LIMITS.paramValueMaxBytes + 1),
      431,
      'params-too-large',
    ],
    ['item 20: too many pairs', pairs(many), 431, 'params-too-large'],
    [
      'item 22: a name that comes twice',
      Buffer.concat([pairs(GET), pairs(GET)]),
      400,
      'duplicate-param',
    ],
    ['item 22: a NUL in a value', pairs(new Map(GET).set('HTTP_A', 'a\0b')), 400, 'bad-params'],
    ['item 22: a NUL in a name', pairs(new Map(GET).set('A\0B', 'x')), 400, 'bad-params'],
    [
      'item 26: CONTENT_LENGTH +5',
      pairs(new Map(GET).set('CONTENT_LENGTH', '+5')),
      400,
      'bad-params',
    ],
    [
      'item 26: CONTENT_LENGTH "5 "',
      pairs(new Map(GET).set('CONTENT_LENGTH', '5 ')),
      400,
      'bad-params',
    ],
    ['item 21: none at all', Buffer.alloc(0), 403, 'refused-path'],
  ];
  for (const [what, content, status, reason] of rows) {
    test(what, async () => {
      const { front } = await start(hello);
      front.expect(1);
      const sent =
        content.length === 0 ? [] : [record(PARAMS, 1, content), record(PARAMS, 1, 'more')];
      front.socket.write(
        Buffer.concat([begin(1), ...sent, record(PARAMS, 1), stdin(1, 'x'), stdin(1)]),
      );
      const answer = await answerTo(front, 1);
      assert.equal(answer.status, status);
      assert.equal(reasonOf(answer), reason);
      assert.equal((await front.fetch(GET)).status, 200);
    });
  }
});

test('item 20: a stream over the limit is refused as soon as it is, and its rest is drained', async () => {
  const { front } = await start(hello);
  front.expect(1);
  front.socket.write(begin(1));
  for (let i = 0; i < 40; i += 1) {
    front.socket.write(record(PARAMS, 1, pairs(new Map([[`HTTP_A${i}`, 'x'.repeat(16_000)]]))));
  }
  const answer = await answerTo(front, 1);
  assert.equal(answer.status, 431);
  assert.equal(reasonOf(answer), 'params-too-large');
  front.socket.write(Buffer.concat([record(PARAMS, 1), stdin(1)]));
  assert.equal((await front.fetch(GET)).status, 200);
});

test('item 23: PARAMS after their end are not merged', async () => {
  const { front } = await start((r) => r.reply(`${TEXT}${r.params.get('HTTP_LATE') ?? 'none'}`));
  front.expect(1);
  const late = record(PARAMS, 1, pairs(new Map([['HTTP_LATE', 'x']])));
  front.socket.write(Buffer.concat([begin(1), paramsRecords(1, POST), late, stdin(1)]));
  assert.equal((await answerTo(front, 1)).body.toString(), 'none');
});

test('items 18 and 24: params in records of one byte come out as whole pairs', async () => {
  const seen: Map<string, string>[] = [];
  const { front } = await start((request) => {
    seen.push(new Map(request.params));
    hello(request);
  });
  const params = new Map(GET).set('HTTP_LONG', '\xff'.repeat(9_000)).set('HTTP_EMPTY', '');
  front.expect(1);
  const bytes = pairs(params);
  front.socket.write(begin(1));
  front.socket.write(
    Buffer.concat([...bytes].map((byte) => record(PARAMS, 1, Buffer.from([byte])))),
  );
  front.socket.write(Buffer.concat([record(PARAMS, 1), stdin(1)]));
  assert.equal((await answerTo(front, 1)).status, 200);
  assert.equal(seen[0]?.get('HTTP_LONG'), params.get('HTTP_LONG'));
  assert.equal(seen[0]?.get('HTTP_EMPTY'), '');
});

test('item 25: the most that may come in fits the smallest buffer that a worker has for it', async () => {
  const { front } = await start((request) => {
    // As uWSGI keeps them: two bytes for each length.
    const bytes = [...request.params].reduce((sum, [k, v]) => sum + 4 + k.length + v.length, 0);
    request.reply(`${TEXT}${bytes}`);
  });
  for (const count of [20, LIMITS.paramsPairMaxCount]) {
    const params = filledUp(GET, LIMITS.paramsTotalMaxBytes, count);
    const { status, body } = await front.fetch(params);
    assert.equal(status, 200);
    assert.ok(Number(body.toString()) <= 65_535, body.toString());
  }
});

test('item 26: names that steer programs, proxies or usherd never arrive', async () => {
  const { front } = await start((r) => r.reply(`${TEXT}${[...r.params.keys()].join(' ')}`));
  const bad = [
    ...['HTTP_PROXY', 'PATH', 'proxy-nokeepalive', 'proxy-sendcl', 'HTTP_EXPECT', 'LD_PRELOAD'],
    ...['HTTP_TRANSFER_ENCODING', 'FCGI_ROLE', 'USHERD_USER', 'MATCH_USHERD_USER', 'PHP_VALUE'],
  ];
  const params = new Map([...GET, ...bad.map((name) => [name, 'x'] as const), ['HTTP_OK', 'y']]);
  const names = (await front.fetch(params)).body.toString().split(' ');
  assert.deepEqual(
    names.filter((name) => bad.includes(name)),
    [],
  );
  assert.ok(names.includes('HTTP_OK'));
});

test('item 26: CONTENT_LENGTH that says nothing becomes the length of what came', async () => {
  const { front } = await start((r) =>
    r.reply(`${TEXT}${r.params.get('CONTENT_LENGTH') ?? 'none'}`),
  );
  for (const text of ['', '-1']) {
    const params = new Map(POST).set('CONTENT_LENGTH', text);
    assert.equal((await front.fetch(params, Buffer.from('abc'))).body.toString(), '3');
    assert.equal((await front.fetch(params)).body.toString(), 'none');
  }
});

describe('item 27: the forms of SCRIPT_FILENAME', () => {
  const file = '/srv/alice/apps/blog/x';
  const url = '/~alice/apps/blog/x';
  const forms = [
    file,
    `proxy:fcgi://h:1${file}`,
    `proxy:fcgi://[::1]:9${file}`,
    `proxy:fcgi://h/${file}`,
    `proxy:balancer://b${file}`,
    `/${file}`,
  ];
  for (const form of forms) {
    test(form, async () => {
      const { front } = await start((r) => r.reply(`${TEXT}${r.params.get('PATH_INFO') ?? ''}`));
      const params = new Map(GET).set('SCRIPT_FILENAME', form).set('SCRIPT_NAME', url);
      params.set('PATH_INFO', '/y').set('REQUEST_URI', `${url}/y`);
      assert.equal((await front.fetch(params)).body.toString(), '/x/y');
    });
  }
});

test('item 29: paths that name nobody, or leave the tree, are refused without asking anybody', async () => {
  const { front, supervisor } = await start(hello);
  const rows: readonly (readonly [string, number])[] = [
    ['/etc/passwd', 403],
    ['/srv/alice/apps/blog/../../../etc/passwd', 403],
    ['/srv/alice/apps', 404],
    ['/srv/Alice/apps/blog/x', 404],
    [`/srv/${'a'.repeat(300)}/apps/blog/x`, 404],
    [`/srv/alice/apps/${'a'.repeat(300)}/x`, 404],
    ['/srv/alice/apps/.git/x', 404],
  ];
  for (const [file, status] of rows) {
    const params = new Map(GET).set('SCRIPT_FILENAME', file).set('PATH_INFO', '');
    assert.equal((await front.fetch(params)).status, status, file);
  }
  assert.equal(supervisor.needs.length, 0);
});

test(
  'item 89: params that do not end have a deadline of their own',
  { timeout: 60_000 },
  async () => {
    const { front, rig } = await start(hello);
    front.expect(1);
    front.socket.write(begin(1));
    const slow = setInterval(
      () => front.socket.write(record(PARAMS, 1, Buffer.from([1, 1, 65]))),
      500,
    );
    try {
      const answer = await front.ended(1, LIMITS.frontParamsDeadlineMs * 4);
      assert.match(Buffer.concat(answer.stdout).toString(), /^Status: 408/);
      assert.equal(rig.router.counters.requestsActive, 0);
    } finally {
      clearInterval(slow);
    }
  },
);
