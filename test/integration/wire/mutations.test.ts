// Wire checklist 88: mutated streams on both sides of a whole router. USHERD_FUZZ_ROUNDS and USHERD_FUZZ_SEED make it longer, and the same again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecordType } from '../../../src/fcgi-protocol/index.js';
import type { FrontClient } from '../../support/front-client.js';
import { waitFor } from '../../support/wait-for.js';
import {
  assertServing,
  begin,
  GET,
  hello,
  paramsRecords,
  POST,
  record,
  stages,
  stdin,
  TEXT,
  whole,
} from '../../support/wire-stage.js';

const ROUNDS = Number(process.env['USHERD_FUZZ_ROUNDS'] ?? 300);
const SEED = Number(process.env['USHERD_FUZZ_SEED'] ?? Date.now() % 0x7fff_ffff);
const LANES_COUNT = 8;

const start = stages();

/** A generator of its own, so that a finding can be had again: a number from 0 up to `below`. */
function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** One to four small changes: a byte other, a piece gone, twice, moved or put in. */
function mutate(bytes: Buffer, random: (below: number) => number): Buffer {
  let mutated: Buffer = Buffer.from(bytes);
  for (let changes = 1 + random(4); changes > 0; changes -= 1) {
    const at = random(mutated.length + 1);
    const length = random(24);
    const [before, behind] = [mutated.subarray(0, at), mutated.subarray(at + length)];
    const kind = random(4);
    const other = Buffer.from(Array.from({ length: 1 + random(9) }, () => random(256)));
    if (kind === 0) mutated = Buffer.concat([before, behind]);
    else if (kind === 1) mutated = Buffer.concat([mutated, mutated.subarray(at, at + length)]);
    else if (kind === 2) mutated = Buffer.concat([before, other, mutated.subarray(at)]);
    else mutated = Buffer.concat([before, other, mutated.subarray(at + other.length)]);
  }
  return mutated;
}

const values = record(RecordType.GET_VALUES, 0, Buffer.from('\x0e\x00FCGI_MAX_CONNS', 'latin1'));
const FRONT_STREAMS = [
  whole(1, GET),
  whole(1, POST, 'body'.repeat(50)),
  Buffer.concat([values, whole(3, GET, '', 0)]),
  Buffer.concat([
    begin(1),
    begin(2),
    paramsRecords(2, GET),
    paramsRecords(1, POST),
    stdin(2),
    stdin(1),
  ]),
  Buffer.concat([whole(1, POST, 'x'), record(RecordType.ABORT_REQUEST, 1), whole(1, GET)]),
];

/** Runs the rounds in lanes; every lane has its own connection at a time. */
async function inLanes(round: (random: (below: number) => number) => Promise<void>): Promise<void> {
  const lanes = Array.from({ length: LANES_COUNT }, async (_, lane) => {
    const random = randomOf(SEED + lane);
    for (let i = lane; i < ROUNDS; i += LANES_COUNT) await round(random);
  });
  await Promise.all(lanes);
}

const gone = (front: FrontClient): Promise<boolean> =>
  waitFor('the end of the connection', () => front.isClosed, 60_000);

test(`item 88: ${ROUNDS} mutated requests, seed ${SEED}`, { timeout: 86_400_000 }, async () => {
  const { rig } = await start(hello);
  const failures: unknown[] = [];
  const note = (reason: unknown): number => failures.push(reason);
  process.on('unhandledRejection', note);
  await inLanes(async (random) => {
    const front = await rig.connect();
    const bytes = mutate(FRONT_STREAMS[random(FRONT_STREAMS.length)] ?? begin(1), random);
    const cut = random(bytes.length + 1);
    front.socket.write(bytes.subarray(0, cut));
    await new Promise(setImmediate);
    if (!front.isClosed) front.socket.write(bytes.subarray(cut));
    await new Promise(setImmediate);
    front.close();
    await gone(front);
  });
  await waitFor('no request', () => rig.router.counters.requestsActive === 0, 60_000);
  await waitFor('no connection', () => rig.router.counters.frontConnections <= 1);
  await assertServing(rig);
  process.off('unhandledRejection', note);
  assert.deepEqual(failures, []);
});

test(`item 88: ${ROUNDS} mutated answers, seed ${SEED}`, { timeout: 86_400_000 }, async () => {
  const random = randomOf(SEED);
  const { rig } = await start((request) => {
    if (request.params.get('QUERY_STRING') === '') {
      hello(request);
      return;
    }
    const answer = Buffer.concat([
      record(RecordType.STDOUT, request.id, `Status: 201 Made\r\nX-A: b\r\n${TEXT}`),
      record(RecordType.STDERR, request.id, 'a line\n', { padding: 3 }),
      record(RecordType.STDOUT, request.id, 'the body', { padding: 255 }),
      record(RecordType.STDOUT, request.id),
      record(RecordType.END_REQUEST, request.id, Buffer.alloc(8)),
    ]);
    request.socket.end(mutate(answer, random));
  });
  await inLanes(async () => {
    const front = await rig.connect();
    front.send(1, new Map(POST).set('QUERY_STRING', 'mutated'));
    await waitFor(
      'an answer or the end',
      () => front.answer(1).end ?? (front.isClosed || front.isEnded),
      60_000,
    );
    front.close();
    await gone(front);
  });
  await waitFor('no request', () => rig.router.counters.requestsActive === 0, 60_000);
  await assertServing(rig);
});
