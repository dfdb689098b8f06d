// Wire checklist 41 to 60, 91 and 92: answers on their way back, on real sockets.
import assert from 'node:assert/strict';
import net from 'node:net';
import { describe, test } from 'node:test';
import { ProtocolStatus, RecordType } from '../../../src/fcgi-protocol/index.js';
import { LIMITS } from '../../../src/limits.js';
import type { WorkerRequest } from '../../support/fake-worker.js';
import { parseCgi } from '../../support/front-client.js';
import { waitFor } from '../../support/wait-for.js';
import {
  answerTo,
  GET,
  hello,
  POST,
  reasonOf,
  record,
  stages,
  TEXT,
  whole,
  type Behaviour,
  type WireStage,
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

for (const eol of ['\r\n', '\n']) {
  test(`item 41: a head that ends in ${JSON.stringify(eol)} and comes byte by byte leaves as one record`, async () => {
    const text = `Content-Type: text/plain${eol}X-A: b${eol}${eol}`;
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
    assert.ok(
      head.startsWith('Status: 200 OK\r\nContent-Type: text/plain\r\nX-A: b\r\n\r\n'),
      head,
    );
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
      assert.ok(!answer.headers.has('connection') && !answer.headers.has('transfer-encoding'));
      const { end: ended, endCount, stderr } = front.answer(1);
      assert.deepEqual(ended, { appStatus: 0, protocolStatus: 0 });
      assert.equal(endCount, 1);
      assert.deepEqual(stderr, []);
    });
  }
});

describe('answers that are cut: the connection ends, and there is no END', () => {
  const half = `Content-Length: 99\n${TEXT}half`;
  const rows: readonly (readonly [string, Behaviour])[] = [
    ['item 46: EOF in the body', (r) => (out(r, half), setImmediate(() => r.socket.end()))],
    [
      'item 47: output after its end',
      (r) => (out(r, half), r.encoder.endStream(6, r.id), out(r, 'TOO LATE'), end(r)),
    ],
    [
      'item 48: a foreign id in the body',
      (r) => (out(r, half), r.socket.write(record(6, r.id + 1, 'x'))),
    ],
    ['item 55: a length that is too large', (r) => r.reply(half)],
  ];
  for (const [what, behave] of rows) {
    test(what, async () => {
      const { front, rig } = await start(behave);
      front.send(1, POST);
      await waitFor('the end of the connection', () => front.isEnded || front.isClosed);
      assert.equal(front.answer(1).end, undefined);
      assert.ok(front.isBroken);
      assert.doesNotMatch(Buffer.concat(front.answer(1).stdout).toString(), /TOO LATE/);
      const other = await rig.front();
      other.send(1, POST);
      await waitFor('the same again', () => other.isEnded || other.isClosed);
    });
  }
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

interface Writing {
  _write: (chunk: Buffer, encoding: BufferEncoding, done: () => void) => void;
  _writev: (chunks: { chunk: Buffer; encoding: BufferEncoding }[], done: () => void) => void;
}

/** What is written meanwhile on sockets that a server has accepted, those of `others` excepted: an element a system call. */
async function writesDuring(
  act: () => Promise<unknown>,
  others: readonly net.Server[],
): Promise<Buffer[]> {
  const writes: Buffer[] = [];
  const note = (socket: unknown, bytes: Buffer): void => {
    const { server } = socket as { readonly server?: net.Server | null };
    if (server != null && !others.includes(server)) writes.push(bytes);
  };
  const prototype = net.Socket.prototype as unknown as Writing;
  const original = { _write: prototype._write, _writev: prototype._writev };
  prototype._write = function (chunk, ...rest) {
    note(this, chunk);
    original._write.call(this, chunk, ...rest);
  };
  prototype._writev = function (chunks, done) {
    note(this, Buffer.concat(chunks.map(({ chunk }) => chunk)));
    original._writev.call(this, chunks, done);
  };
  try {
    await act();
  } finally {
    Object.assign(prototype, original);
  }
  return writes;
}

describe('one write', () => {
  const workersOf = ({ supervisor }: WireStage): net.Server[] =>
    [...supervisor.running.values()].map(({ worker }) => worker.server);

  test('items 56 and 57: a small answer, the end of STDOUT and END', async () => {
    const stage = await start(hello);
    await stage.front.fetch(GET);
    const writes = await writesDuring(() => stage.front.fetch(GET), workersOf(stage));
    assert.equal(writes.length, 1);
    const [only = Buffer.alloc(0)] = writes;
    assert.equal(only.at(-15), RecordType.END_REQUEST);
    assert.equal(only.at(-23), RecordType.STDOUT);
  });

  test('item 56: END leaves whole behind an answer that fills the socket', async () => {
    const stage = await start((request) => request.reply(`${TEXT}${'x'.repeat(3_000_000)}`));
    await stage.front.fetch(GET);
    const writes = await writesDuring(() => stage.front.fetch(GET), workersOf(stage));
    const last = writes.at(-1) ?? Buffer.alloc(0);
    assert.ok(last.length >= 16);
    assert.equal(last.at(-15), RecordType.END_REQUEST);
  });
});

test('item 58: what a worker writes arrives although more may follow', async () => {
  let request: WorkerRequest | undefined;
  const { front } = await start((asked) => (request = asked));
  front.send(1, GET);
  await waitFor('the request at the worker', () => request);
  assert.ok(request !== undefined);
  out(request, TEXT);
  for (let i = 1; i <= 20; i += 1) {
    out(request, `event ${i}`);
    // The worker says nothing more until this has arrived: nothing waits for company.
    await waitFor(`event ${i}`, () =>
      Buffer.concat(front.answer(1).stdout).toString().endsWith(`event ${i}`),
    );
  }
  end(request);
  await front.ended(1);
});

test(
  'item 59: a web server that does not read pauses its worker, within bounds, and no other',
  { timeout: 300_000 },
  async () => {
    let written = 0;
    const total = 64 * 1024 * 1024;
    const block = Buffer.alloc(65_000, 'x');
    const { front, rig } = await start((request) => {
      if (request.params.get('QUERY_STRING') !== 'big') {
        hello(request);
        return;
      }
      out(request, TEXT);
      const more = (): void => {
        while (written < total && !request.socket.destroyed) {
          written += block.length;
          if (!request.encoder.stream(RecordType.STDOUT, request.id, block)) {
            request.socket.once('drain', more);
            return;
          }
        }
        end(request);
      };
      more();
    });
    front.socket.pause();
    front.send(1, new Map(GET).set('QUERY_STRING', 'big'));
    await waitFor('the bound', () => rig.router.writeBudget.bytes > LIMITS.responseBufferMaxBytes);
    const other = await rig.front();
    for (let i = 0; i < 20; i += 1) assert.equal((await other.fetch(GET)).status, 200);
    assert.ok(written < total / 4, `${written} bytes were taken`);
    assert.ok(rig.router.writeBudget.bytes < 4 * LIMITS.responseBufferMaxBytes);
    front.socket.resume();
    const answer = await front.ended(1, 120_000);
    assert.ok(Buffer.concat(answer.stdout).length >= total);
  },
);

describe('item 60: bodies of any size', () => {
  for (const bytes of [0, 1, 1_000_000, 20_000_000]) {
    test(`${bytes} bytes`, async () => {
      const { front } = await start((request) => request.reply(`${TEXT}${'x'.repeat(bytes)}`));
      front.send(1, GET);
      assert.equal(parseCgi(await front.ended(1, 60_000)).body.length, bytes);
    });
  }

  test('a hundred thousand bytes in records of one', async () => {
    const { front } = await start((request) => {
      out(request, TEXT);
      request.socket.write(
        Buffer.concat(Array.from({ length: 100_000 }, () => record(6, request.id, 'x'))),
      );
      end(request);
    });
    front.expect(1);
    front.socket.write(whole(1));
    assert.equal((await answerTo(front, 1)).body.length, 100_000);
  });
});
