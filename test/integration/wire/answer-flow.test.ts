// Wire checklist 56 to 58 and 60: how answers flow back: in which writes, when, and how much of them waits.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { describe, test } from 'node:test';
import { ProtocolStatus, RecordType } from '../../../src/fcgi-protocol/index.js';
import type { WorkerRequest } from '../../support/fake-worker.js';
import { parseCgi } from '../../support/front-client.js';
import { waitFor } from '../../support/wait-for.js';
import {
  GET,
  hello,
  record,
  stages,
  TEXT,
  whole,
  type WireStage,
} from '../../support/wire-stage.js';

const start = stages();
const out = ({ encoder, id }: WorkerRequest, text: string): unknown =>
  encoder.stream(RecordType.STDOUT, id, Buffer.from(text, 'latin1'));
const end = (
  request: WorkerRequest,
  status: number = ProtocolStatus.REQUEST_COMPLETE,
  app = 0,
): unknown => request.encoder.endRequest(request.id, app, status);

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

test('item 58: a small record needs less than 10 ms from the worker to the web server', async () => {
  let request: WorkerRequest | undefined;
  const { front } = await start((asked) => (request = asked));
  front.send(1, GET);
  await waitFor('the request at the worker', () => request);
  assert.ok(request !== undefined);
  out(request, TEXT);
  const tookMs: number[] = [];
  for (let i = 0; i < 101; i += 1) {
    const arrived = once(front.socket, 'data');
    const saidMs = performance.now();
    out(request, `data: ${i}\n\n`);
    await arrived;
    tookMs.push(performance.now() - saidMs);
  }
  end(request);
  await front.ended(1);
  // The median: a busy machine takes its time now and then, a timer would take it every time.
  const median = tookMs.sort((a, b) => a - b)[50] ?? Infinity;
  assert.ok(median < 10, `${median} ms`);
});

describe('item 60: bodies of any size', () => {
  for (const bytes of [0, 1, 1_000_000, 20_000_000]) {
    test(`${bytes} bytes`, async () => {
      const { front } = await start((request) => request.reply(`${TEXT}${'x'.repeat(bytes)}`));
      front.send(1, GET);
      assert.equal(parseCgi(await front.ended(1, 60_000)).body.length, bytes);
    });
  }

  test('a million bytes in records of one leave in far fewer writes', async () => {
    const { front } = await start((request) => {
      const one = record(6, request.id, 'x');
      out(request, TEXT);
      request.socket.write(Buffer.concat(Array.from({ length: 1_000_000 }, () => one)));
      end(request);
    });
    front.expect(1);
    let reads = 0;
    front.socket.on('data', () => (reads += 1));
    front.socket.write(whole(1));
    const answer = parseCgi(await front.ended(1, 60_000));
    assert.equal(answer.body.length, 1_000_000);
    assert.ok(reads < 10_000, `${reads} reads of the web server`);
  });
});
