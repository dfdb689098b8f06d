// Wire checklist 41 to 55, 91 and 92: what answers say, on real sockets.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ProtocolStatus, RecordType } from '../../../src/fcgi-protocol/index.js';
import { LIMITS } from '../../../src/limits.js';
import { TEST_RUNTIME } from '../../support/config.js';
import type { WorkerRequest } from '../../support/fake-worker.js';
import { parseCgi, type FrontAnswer } from '../../support/front-client.js';
import { waitFor } from '../../support/wait-for.js';
import {
  GET,
  hello,
  POST,
  reasonOf,
  record,
  stages,
  TEXT,
  type Behaviour,
} from '../../support/wire-stage.js';

const start = stages();
const out = ({ encoder, id }: WorkerRequest, text: string): unknown =>
  encoder.stream(RecordType.STDOUT, id, Buffer.from(text, 'latin1'));
const err = ({ encoder, id }: WorkerRequest, bytes: Buffer | string): unknown =>
  encoder.stream(RecordType.STDERR, id, Buffer.from(bytes));
const end = (
  request: WorkerRequest,
  status: number = ProtocolStatus.REQUEST_COMPLETE,
  app = 0,
): unknown => request.encoder.endRequest(request.id, app, status);

for (const [first, second, last] of [
  ['\r\n', '\r\n', '\r\n'],
  ['\n', '\n', '\n'],
  ['\r\n', '\n', '\r\n'],
  ['\n', '\r\n', '\n'],
] as const) {
  const eols = JSON.stringify(first + second + last);
  test(`item 41: a head that ends in ${eols} and comes byte by byte leaves as one record`, async () => {
    const text = `Content-Type: text/plain${first}X-A: b${second}${last}`;
    const { front } = await start((request) => {
      for (const char of text) out(request, char);
      setImmediate(() => {
        out(request, 'body');
        end(request);
      });
    });
    front.send(1, GET);
    const answer = await front.ended(1);
    const head = answer.stdout[0]?.toString() ?? '';
    // With its length, if the rest came in the same read.
    const lines =
      /^Status: 200 OK\r\nContent-Type: text\/plain\r\nX-A: b\r\n(?:Content-Length: 4\r\n)?\r\n/;
    assert.match(head, lines);
    assert.equal(parseCgi(answer).body.toString(), 'body');
  });
}

describe('answers that are none', () => {
  const finish = (request: WorkerRequest): unknown => end(request);
  const rows: readonly (readonly [string, Behaviour])[] = [
    [
      'item 42: a line that is too long',
      (r) => r.reply(`X: ${'x'.repeat(LIMITS.responseHeadLineMaxBytes)}\n\n`),
    ],
    [
      'item 42: one line too many',
      (r) => r.reply(`${'X: y\n'.repeat(LIMITS.responseHeadLinesMaxCount + 1)}\n`),
    ],
    [
      'item 42: a block that is too long',
      (r) => r.reply(`${`X: ${'x'.repeat(999)}\n`.repeat(40)}\n`),
    ],
    ['item 43: no end of the head before the end of STDOUT', (r) => r.reply('X: y\n')],
    ['item 43: no end of the head before END', (r) => (out(r, 'X: y\n'), finish(r))],
    ['item 43: no end of the head before EOF', (r) => (out(r, 'X: y\n'), r.socket.end())],
    ['item 44: END alone', finish],
    ['item 44: END with an app status', (r) => end(r, 0, 9)],
    ['item 51: STDERR alone', (r) => (err(r, 'only this'), finish(r))],
    ['item 52: a status of three letters', (r) => r.reply('Status: abc\n\n')],
    ['item 52: status 99', (r) => r.reply('Status: 99\n\n')],
    ['item 52: status 1000', (r) => r.reply('Status: 1000\n\n')],
    ['item 52: status 100', (r) => r.reply('Status: 100\n\n')],
    ['item 52: status 101', (r) => r.reply('Status: 101\n\n')],
    ['item 52: two statuses', (r) => r.reply('Status: 200\nStatus: 200\n\n')],
    ['item 54: a line without a colon', (r) => r.reply('X: y\nnothing\n\n')],
    ['item 54: a folded line', (r) => r.reply('X: y\n z\n\n')],
    ['item 54: a NUL', (r) => r.reply('X: y\0z\n\n')],
    ['item 54: a blank before the colon', (r) => r.reply('X : y\n\n')],
    ['item 92: a bare CR', (r) => r.reply('Location: /x\rSet-Cookie: a=b\n\n')],
    ['item 48: a foreign id', (r) => (r.socket.write(record(6, r.id + 1, `${TEXT}x`)), finish(r))],
    ['item 48: no id', (r) => (r.socket.write(record(6, 0, `${TEXT}x`)), finish(r))],
    ['item 48: a foreign id behind output', (r) => (out(r, TEXT), r.socket.write(record(6, 0)))],
    [
      'item 47: output after its end',
      (r) => (out(r, TEXT), r.encoder.endStream(6, r.id), out(r, 'TOO LATE'), end(r)),
    ],
    ['item 55: a length that is too large', (r) => r.reply(`Content-Length: 99\n${TEXT}half`)],
    ['item 48: END for a foreign id', (r) => r.socket.write(record(3, r.id + 1, Buffer.alloc(8)))],
    ['item 5: version 2', (r) => r.socket.write(record(6, r.id, `${TEXT}x`, { version: 2 }))],
  ];
  for (const [what, behave] of rows) {
    test(what, async () => {
      const { front } = await start(behave);
      const answer = await front.fetch(POST);
      assert.equal(answer.status, 502);
      assert.match(reasonOf(answer) ?? '', /^(?:bad-response|worker-died)$/);
      assert.equal(answer.headers.get('content-type'), 'text/html; charset=utf-8');
      assert.equal(front.answer(1).end?.protocolStatus, 0);
      assert.equal(front.answer(1).endCount, 1);
      assert.doesNotMatch(answer.body.toString(), /\/srv|\/tmp|alice/);
    });
  }
});

for (const [name, status] of Object.entries(ProtocolStatus).filter(([, value]) => value !== 0)) {
  test(`item 44: END with ${name} and no output is tried elsewhere, whatever the method`, async () => {
    let tries = 0;
    const { front } = await start((request) => {
      tries += 1;
      if (tries === 1) end(request, status);
      else hello(request);
    });
    assert.equal((await front.fetch(POST, Buffer.from('abc'))).body.toString(), '/:3');
    assert.equal(tries, 2);
  });
}

describe('answers that are whole, however they are told', () => {
  const text = `${TEXT}whole`;
  const rows: readonly (readonly [string, Behaviour])[] = [
    ['item 45: an app status', (r) => (out(r, text), end(r, 0, 7))],
    [
      'item 45: OVERLOADED after the output',
      (r) => (out(r, text), end(r, ProtocolStatus.OVERLOADED)),
    ],
    [
      'item 46: EOF after the end of STDOUT',
      (r) => (out(r, text), r.encoder.endStream(6, r.id), r.socket.end()),
    ],
    ['item 49: no end of STDOUT', (r) => (out(r, text), end(r))],
    [
      'item 51: STDERR before, between and after',
      (r) => {
        err(r, 'before');
        out(r, 'Content-Type: text/');
        err(r, Buffer.alloc(65_535, 0xff));
        out(r, 'plain\r\n\r\nwhole');
        err(r, '\x1b[31m\0');
        end(r);
      },
    ],
    [
      'item 3: one byte a record, with padding',
      (r) => {
        for (const char of text) r.socket.write(record(6, r.id, char, { padding: 255 }));
        end(r);
      },
    ],
    [
      'item 55: a length that is too small',
      (r) => r.reply(`Content-Length: 5\n${TEXT}whole and more`),
    ],
    ['item 55: no length', (r) => r.reply(text)],
    [
      'item 55: hop-by-hop headers',
      (r) => r.reply(`Transfer-Encoding: chunked\nConnection: close\n${text}`),
    ],
  ];
  for (const [what, behave] of rows) {
    test(what, async () => {
      const { front } = await start(behave);
      const answer = await front.fetch(POST);
      assert.equal(answer.status, 200);
      assert.equal(answer.body.toString(), 'whole');
      assert.ok(['5', undefined].includes(answer.headers.get('content-length')));
      assert.ok(!answer.headers.has('connection') && !answer.headers.has('transfer-encoding'));
      const { end: ended, endCount, stderr } = front.answer(1);
      assert.deepEqual(ended, { appStatus: 0, protocolStatus: 0 });
      assert.equal(endCount, 1);
      assert.deepEqual(stderr, []);
    });
  }
});

test('item 42: a head at its limits passes', async () => {
  const lines = LIMITS.responseHeadLinesMaxCount - 2;
  const longest = `Y: ${'y'.repeat(LIMITS.responseHeadLineMaxBytes - 'Y: '.length)}\n`;
  const head = `${'X: y\n'.repeat(lines)}${longest}${TEXT}`;
  assert.equal(head.split('\n').length - 2, LIMITS.responseHeadLinesMaxCount);
  const { front } = await start((request) => request.reply(`${head}whole`));
  const answer = await front.fetch(GET);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('y')?.length, LIMITS.responseHeadLineMaxBytes - 'Y: '.length);
  assert.equal(answer.body.toString(), 'whole');
});

describe('answers that are delivered, with a line in the application’s log', () => {
  const rows: readonly (readonly [string, Behaviour, RegExp])[] = [
    [
      'item 45: an app status',
      (r) => (out(r, `${TEXT}whole`), end(r, 0, 7)),
      /the program ended its answer with status 7$/m,
    ],
    [
      'item 55: a length that is too small',
      (r) => r.reply(`Content-Length: 5\n${TEXT}whole and more`),
      /the answer was 9 bytes longer than its Content-Length; they were dropped$/m,
    ],
    [
      'a header that gives orders to web servers',
      (r) => r.reply(`X-Sendfile: /etc/passwd\nConnection: close\n${TEXT}whole`),
      /dropped from the answer, because it gives orders to web servers: x-sendfile$/m,
    ],
  ];
  for (const [what, behave, line] of rows) {
    test(`${what}: a few times, however often it happens`, async () => {
      const { front, rig } = await start(behave);
      const count = 5 * LIMITS.failureLogBurstCount;
      for (let i = 0; i < count; i += 1) {
        assert.equal((await front.fetch(POST)).body.toString(), 'whole');
      }
      const log = (): string => readFileSync(join(rig.directory, 'log/alice/blog.log'), 'utf8');
      await waitFor('its lines', () => log().split('\n').length > LIMITS.failureLogBurstCount);
      assert.match(log(), line);
      assert.equal(log().match(new RegExp(line, 'gm'))?.length, LIMITS.failureLogBurstCount);
    });
  }

  test('and none of an answer with which nothing is wrong', async () => {
    const { front, rig } = await start((r) => r.reply(`Content-Length: 5\n${TEXT}whole`));
    for (const method of ['GET', 'HEAD']) {
      await front.fetch(new Map(POST).set('REQUEST_METHOD', method));
    }
    await rig.router.stop();
    const file = join(rig.directory, 'log/alice/blog.log');
    const log = existsSync(file) ? readFileSync(file, 'utf8') : '';
    assert.doesNotMatch(log, /dropped|status/);
  });
});

describe('answers that are cut: the connection ends, and there is no END (T81)', () => {
  const half = `Content-Length: 99\n${TEXT}half`;
  /** What follows once the web server has the first half. */
  const rows: readonly (readonly [string, Behaviour])[] = [
    ['item 46: EOF in the body', (r) => r.socket.end()],
    [
      'item 47: output after its end',
      (r) => (r.encoder.endStream(6, r.id), out(r, 'TOO LATE'), end(r)),
    ],
    ['item 48: a foreign id in the body', (r) => r.socket.write(record(6, r.id + 1, 'x'))],
    ['item 55: a length that is too large', (r) => end(r)],
  ];
  for (const [what, behave] of rows) {
    test(what, async () => {
      let asked: WorkerRequest | undefined;
      const { rig } = await start((r) => (out(r, half), (asked = r)));
      for (const round of ['once', 'and the same again']) {
        const front = await rig.front();
        front.send(1, POST);
        await waitFor(`${round}: half`, () => front.answer(1).stdout.length > 0);
        assert.ok(asked !== undefined);
        behave(asked);
        await waitFor(`${round}: the end`, () => front.isEnded || front.isClosed);
        assert.equal(front.answer(1).end, undefined);
        assert.ok(front.isBroken);
        assert.doesNotMatch(Buffer.concat(front.answer(1).stdout).toString(), /TOO LATE/);
      }
    });
  }
});

test('the page for a script that is not there is cut, too: no other answer follows it', async () => {
  const body = 'No input file specified.\n';
  const php = { ...TEST_RUNTIME, name: 'php', missingScriptBody: body };
  let asked: WorkerRequest | undefined;
  const { front } = await start(
    (r) => (out(r, `Status: 404\n${TEXT}${body}`), (asked = r)),
    { runtime: 'php' },
    { runtimes: new Map([['php', php]]) },
  );
  front.send(1, GET);
  await waitFor('the page', () => front.answer(1).stdout.length > 0);
  asked?.socket.end();
  await waitFor('an end', () => front.isEnded || front.answer(1).end !== undefined);
  const { stdout, end: ended } = front.answer(1);
  assert.equal(
    Buffer.concat(stdout)
      .toString()
      .match(/^Status: /gm)?.length,
    1,
  );
  assert.equal(ended, undefined);
  assert.ok(front.isBroken);
});

test('item 50: an empty STDOUT in mid-stream is not passed on before the last of the output', async () => {
  const { front } = await start((request) => {
    out(request, `${TEXT}a`);
    setImmediate(() => {
      out(request, 'b');
      end(request);
    });
  });
  front.send(1, GET);
  const { stdoutLengths } = await front.ended(1);
  assert.equal(stdoutLengths.indexOf(0), stdoutLengths.length - 1);
});

const inTwoRecords = ({ id }: WorkerRequest): Buffer =>
  Buffer.concat([
    record(RecordType.STDOUT, id, `${TEXT}who`),
    record(RecordType.STDOUT, id, 'le'),
    record(RecordType.END_REQUEST, id, Buffer.alloc(8)),
  ]);

test('an answer that comes whole goes on with its length, in whatever records; others have none', async () => {
  const rows: readonly (readonly [string, string, Behaviour])[] = [
    ['5', 'one record', (r) => r.reply(`${TEXT}whole`)],
    ['5', 'two records', (r) => r.socket.write(inTwoRecords(r))],
    ['0', 'no body', (r) => r.reply('Location: /x\n\n')],
  ];
  for (const [length, what, behave] of rows) {
    const { front } = await start(behave);
    assert.equal((await front.fetch(GET)).headers.get('content-length'), length, what);
  }
  for (const [method, text] of [
    ['HEAD', TEXT],
    ['GET', `Status: 304\n${TEXT}`],
    ['GET', 'Status: 204\n\n'],
  ] as const) {
    const { front } = await start((r) => r.reply(text));
    const answer = await front.fetch(new Map(GET).set('REQUEST_METHOD', method));
    assert.equal(answer.headers.get('content-length'), undefined, `${method} ${text}`);
  }
  const { front } = await start((r) => r.reply(`Content-Length: 5\n${TEXT}`));
  const answer = await front.fetch(new Map(GET).set('REQUEST_METHOD', 'HEAD'));
  assert.equal(answer.headers.get('content-length'), '5', 'HEAD says what GET would have');
});

describe('item 52: answers without a body', () => {
  for (const [what, text, status, method] of [
    ['204', 'Status: 204\n\nbody', 204, 'POST'],
    ['304', 'Status: 304\n\nbody', 304, 'POST'],
    ['HEAD', `${TEXT}body`, 200, 'HEAD'],
  ] as const) {
    test(what, async () => {
      const { front } = await start((request) => request.reply(text));
      const answer = await front.fetch(new Map(POST).set('REQUEST_METHOD', method));
      assert.equal(answer.status, status);
      assert.equal(answer.body.length, 0);
    });
  }
});

describe('items 53 and 54: what the head says, and what is made of it', () => {
  for (const [text, status, location] of [
    ['Location: /x\n\n', 302, '/x'],
    ['Status: 200\nLocation: /x\n\n', 200, '/x'],
    ['Location: http://h/x\nStatus: 301 Moved\n\n', 301, 'http://h/x'],
    ['HTTP/1.1 202 Yes\nLocation: /x\n\n', 202, '/x'],
  ] as const) {
    test(JSON.stringify(text), async () => {
      const { front } = await start((request) => request.reply(text));
      const answer = await front.fetch(POST);
      assert.equal(answer.status, status);
      assert.equal(answer.headers.get('location'), location);
    });
  }
});

describe('item 51: where the web server is told what is said on STDERR', () => {
  const told = (answer: FrontAnswer): readonly string[] =>
    answer.stderr.map((line) => line.toString());

  test('it is told line by line, escaped, with the end of the request and not before', async () => {
    const held: WorkerRequest[] = [];
    const { front } = await start((request) => held.push(request), {}, {}, { copyStderr: true });
    front.send(1, POST);
    const [request] = await waitFor('the request', () => held.length > 0 && held);
    assert.ok(request !== undefined);
    err(request, 'first\n\x1b[31msecond\r\nthird \xff\0');
    out(request, `${TEXT}half`);
    await waitFor('the half', () => Buffer.concat(front.answer(1).stdout).includes('half'));
    assert.deepEqual(front.answer(1).stderr, []);
    end(request);
    const answer = await front.ended(1);
    assert.deepEqual(told(answer), ['first', '\\x1b[31msecond', 'third \u00ff\\x00']);
    assert.equal(parseCgi(answer).body.toString(), 'half');
  });

  test('also with an answer that is none, and never more than 4 KiB of a request', async () => {
    const { front } = await start(
      (request) => {
        for (let i = 0; i < 100; i += 1) err(request, `${'x'.repeat(99)}\n`);
        end(request);
      },
      {},
      {},
      { copyStderr: true },
    );
    front.send(1, POST);
    const answer = await front.ended(1);
    assert.equal(parseCgi(answer).status, 502);
    assert.equal(told(answer).join('').length, LIMITS.errorCopyMaxBytes);
    assert.equal(told(answer).length, 42);
    front.send(2, POST);
    assert.equal(told(await front.ended(2)).length, 42);
  });
});
