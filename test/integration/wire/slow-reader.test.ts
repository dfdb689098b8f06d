// A web server that does not read: its answer waits in memory, then on disk, and its worker is free; within bounds.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodeRequestHead, RecordType } from '../../../src/fcgi-protocol/index.js';
import { LIMITS, MIB } from '../../../src/limits.js';
import type { WorkerRequest } from '../../support/fake-worker.js';
import { parseCgi, type FrontClient } from '../../support/front-client.js';
import { waitFor } from '../../support/wait-for.js';
import { GET, hello, stages, TEXT, type WireStage } from '../../support/wire-stage.js';

const start = stages();
const ONE_WORKER = { facts: { limits: { maxWorkersPerApp: 1 } } };
const TOTAL_BYTES = 24 * MIB;
const BIG = new Map(GET).set('QUERY_STRING', 'big');
const PART = Buffer.from(Array.from({ length: 60_013 }, (_, i) => (i * 31 + (i >> 8)) & 0xff));

interface Progress {
  bytes: number;
  isDone: boolean;
}

/** As fast as it is taken, `TOTAL_BYTES` and a bit. */
function produce(request: WorkerRequest, head: string, progress: Progress): void {
  request.encoder.stream(RecordType.STDOUT, request.id, Buffer.from(head));
  const more = (): void => {
    while (progress.bytes < TOTAL_BYTES) {
      if (request.socket.destroyed) return;
      progress.bytes += PART.length;
      if (request.encoder.stream(RecordType.STDOUT, request.id, PART)) continue;
      request.socket.once('drain', more);
      return;
    }
    request.encoder.endStream(RecordType.STDOUT, request.id);
    request.encoder.endRequest(request.id, 0, 0);
    progress.isDone = true;
  };
  more();
}

async function stageWith(head = TEXT): Promise<WireStage & { readonly progress: Progress }> {
  const progress = { bytes: 0, isDone: false };
  const stage = await start((request) => {
    if (request.params.get('QUERY_STRING') === 'big') produce(request, head, progress);
    else hello(request);
  }, ONE_WORKER);
  return { ...stage, progress };
}

const isSpoolEmpty = ({ rig }: WireStage): boolean => {
  const { diskBytes, filesCount } = rig.router.spoolBudget;
  return diskBytes === 0 && filesCount === 0 && rig.router.writeBudget.bytes === 0;
};

/** For longer than it takes an answer to go to disk: nothing tells that one does not. */
async function assertOthersServed({ rig }: WireStage): Promise<void> {
  const other = await rig.front();
  const shop = new Map(GET).set('SCRIPT_FILENAME', '/srv/bob/apps/shop');
  const untilMs = performance.now() + 3 * LIMITS.answerSpillAfterMs;
  while (performance.now() < untilMs) assert.equal((await other.fetch(shop)).status, 200);
}

async function assertWhole(front: FrontClient, progress: Progress): Promise<void> {
  const { body } = parseCgi(await front.ended(1, 120_000));
  const { bytes } = progress;
  assert.equal(body.length, bytes);
  for (let at = 0; at < bytes; at += PART.length) {
    assert.ok(body.subarray(at, at + PART.length).equals(PART), `the part at ${at}`);
  }
}

describe('item 59: a web server that does not read', () => {
  test('holds no worker: what it does not take waits on disk, in order', async () => {
    const stage = await stageWith();
    const { front, rig, progress } = stage;
    front.socket.pause();
    front.send(1, BIG);
    await waitFor('the worker to be done', () => progress.isDone);
    const other = await rig.front();
    assert.equal((await other.fetch(GET)).status, 200);
    assert.equal(rig.supervisor.running.size, 1, 'by the same worker');
    assert.ok(rig.router.spoolBudget.diskBytes > TOTAL_BYTES / 2);
    assert.ok(rig.router.writeBudget.bytes < 4 * LIMITS.responseBufferMaxBytes);
    front.socket.resume();
    await assertWhole(front, progress);
    assert.equal((await front.fetch(GET)).status, 200, 'the connection is good for more');
    await waitFor('nothing on disk', () => isSpoolEmpty(stage));
  });

  for (const line of ['Content-Type: text/event-stream', 'X-Accel-Buffering: no']) {
    test(`pauses a worker that says ${line}, and no other`, async () => {
      const stage = await stageWith(`Status: 200\r\n${line}\r\n\r\n`);
      const { front, rig, progress } = stage;
      front.socket.pause();
      front.send(1, BIG);
      await waitFor('the bound', () => {
        return rig.router.writeBudget.bytes > LIMITS.responseBufferMaxBytes;
      });
      await assertOthersServed(stage);
      assert.ok(!progress.isDone, `${progress.bytes} bytes were taken`);
      assert.equal(rig.router.spoolBudget.filesCount, 0);
      front.socket.resume();
      await assertWhole(front, progress);
    });
  }

  test('pauses the worker where the disk of its user is taken, until there is room', async () => {
    const stage = await stageWith();
    const { front, rig, progress } = stage;
    const { spoolBudget } = rig.router;
    const takenBytes = LIMITS.spoolPerUserMaxBytes * LIMITS.answerSpillShare - 2 * MIB;
    assert.ok(spoolBudget.takeDisk('alice', takenBytes));
    front.socket.pause();
    front.send(1, BIG);
    await waitFor('the share', () => spoolBudget.userDiskBytes('alice') > takenBytes + MIB);
    await assertOthersServed(stage);
    assert.ok(!progress.isDone, `${progress.bytes} bytes were taken`);
    spoolBudget.giveShare('alice', takenBytes);
    spoolBudget.giveDisk(takenBytes);
    front.socket.resume();
    await assertWhole(front, progress);
    await waitFor('nothing on disk', () => isSpoolEmpty(stage));
  });

  test('gives the disk back when it goes', async () => {
    const stage = await stageWith();
    const { front, rig, progress } = stage;
    front.socket.pause();
    front.send(1, BIG);
    await waitFor('the worker to be done', () => progress.isDone);
    assert.ok(rig.router.spoolBudget.diskBytes > 0);
    front.socket.destroy();
    await waitFor('nothing on disk', () => isSpoolEmpty(stage));
  });

  test('gets its whole answer from a router that stops', async () => {
    const { front, rig, progress } = await stageWith();
    front.socket.pause();
    front.send(1, BIG);
    await waitFor('the worker to be done', () => progress.isDone);
    const stopped = rig.router.stop();
    front.socket.resume();
    await assertWhole(front, progress);
    await stopped;
  });
});

const QUESTION = Buffer.from([1, RecordType.GET_VALUES, 0, 0, 0, 0, 0, 0]);
const OUTSIDE = new Map(GET).set('SCRIPT_FILENAME', '/elsewhere/index.php');
const REQUEST = encodeRequestHead(1, { role: 1, flags: 1, params: OUTSIDE, isBodiless: true });

for (const [what, asked] of [
  ['asks the router about itself', QUESTION],
  ['sends request upon request', REQUEST],
] as const) {
  test(`who ${what} and does not read is not read from`, async () => {
    const { front, rig } = await start(hello);
    const many = Buffer.concat(Array.from({ length: 65_536 / asked.length }, () => asked));
    front.socket.pause();
    let sentBytes = 0;
    const ask = (): void => {
      while (front.socket.writable && sentBytes < 8 * MIB) {
        sentBytes += many.length;
        if (!front.socket.write(many)) return;
      }
    };
    front.socket.on('drain', ask);
    ask();
    const { writeBudget } = rig.router;
    await waitFor('the bound', () => writeBudget.bytes > LIMITS.responseBufferMaxBytes, 60_000);
    const other = await rig.front();
    for (let i = 0; i < 20; i += 1) assert.equal((await other.fetch(GET)).status, 200);
    assert.ok(writeBudget.bytes < 4 * LIMITS.responseBufferMaxBytes, `${writeBudget.bytes} bytes`);
    assert.ok(front.socket.writableLength > 0, 'the router has stopped reading');
    front.socket.resume();
    await waitFor('all of them to be answered', () => front.socket.writableLength === 0, 120_000);
  });
}
