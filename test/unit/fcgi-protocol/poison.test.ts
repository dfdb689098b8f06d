// Memory on the wire: with every fresh buffer full of junk, no byte of junk may come out.
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { type TestContext, test } from 'node:test';

import {
  encodeLastOutput,
  encodeRecordHeader,
  encodeRequestHead,
  RecordEncoder,
  RecordType,
} from '../../../src/fcgi-protocol/index.js';
import { decodeChunks, WriteLog } from '../../support/record-log.js';
import { chunksOf } from '../../support/bytes.js';

const PAIRS = new Map([
  ['SHORT', 'value'],
  ['LONG', 'v'.repeat(300)],
  ['HUGE', 'v'.repeat(65_000)],
  ['NEXT', 'v'.repeat(1_000)],
]);
const CONTENT = Buffer.alloc(70_000, 'c');

/** Everything that the encoder can write. */
function encodeAll(): Buffer {
  const log = new WriteLog();
  const encoder = new RecordEncoder(log);
  encoder.beginRequest(1, 1, 1);
  encoder.params(1, PAIRS);
  for (const type of [5, 6, 7, 8]) {
    encoder.stream(type, 1, CONTENT);
    encoder.endStream(type, 1);
  }
  encoder.endRequest(1, 0, 0);
  encoder.abortRequest(1);
  encoder.getValues(['FCGI_MAX_CONNS']);
  encoder.getValuesResult(new Map([['FCGI_MAX_CONNS', '8']]));
  encoder.unknownType(99);
  log.write(encodeLastOutput(1, [CONTENT], 0));
  log.write(encodeRequestHead(1, { role: 1, flags: 0, params: PAIRS, isBodiless: false }));
  log.write(encodeRecordHeader(6, 1, 0));
  return log.bytes;
}

function poison(context: TestContext, junk: number): void {
  for (const name of ['allocUnsafe', 'allocUnsafeSlow'] as const) {
    context.mock.method(Buffer, name, (sizeBytes: number) => Buffer.alloc(sizeBytes, junk));
  }
}

test('all that is written is the same whatever junk fresh memory held', (context) => {
  const clean = encodeAll();
  for (const junk of [0x00, 0xa5, 0x5a, 0xff]) {
    poison(context, junk);
    assert.equal(Buffer.compare(encodeAll(), clean), 0);
    context.mock.restoreAll();
  }
});

test('every type comes out of a dirty pool with zeros for reserved bytes and padding', () => {
  for (let i = 0; i < 100; i += 1) Buffer.allocUnsafe(Buffer.poolSize >>> 2).fill(0xa5);
  const all = encodeAll();
  const types = new Set<number>();
  let at = 0;
  while (at < all.length) {
    const type = all.readUInt8(at + 1);
    const body = all.subarray(at + 8, at + 8 + all.readUInt16BE(at + 4));
    types.add(type);
    assert.deepEqual([all[at + 6], all[at + 7]], [0, 0], `padding and reserved of type ${type}`);
    if (type === RecordType.BEGIN_REQUEST) assert.deepEqual(body.subarray(3), Buffer.alloc(5));
    if (type === RecordType.END_REQUEST) assert.deepEqual(body.subarray(5), Buffer.alloc(3));
    if (type === RecordType.UNKNOWN_TYPE) assert.deepEqual(body.subarray(1), Buffer.alloc(7));
    at += 8 + body.length;
  }
  assert.deepEqual(
    [...types].sort((a, b) => a - b),
    Object.values(RecordType),
  );
});

test('the decoder hands out no byte of its carry that did not come in', (context) => {
  const clean = encodeAll();
  const expected = decodeChunks([clean]);
  poison(context, 0xa5);
  assert.deepEqual(decodeChunks(chunksOf(clean, 700)), expected);
});
