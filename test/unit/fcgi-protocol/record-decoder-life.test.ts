// The decoder's life and memory: stop, throw, re-entrancy, views, and what it may hold.
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, type TestContext, test } from 'node:test';

import { RecordDecoder } from '../../../src/fcgi-protocol/index.js';
import { bytes, chunksOf } from '../../support/bytes.js';
import { decodeChunks, RecordLog } from '../../support/record-log.js';

const RECORD = bytes`01 05 0001 0004 00 00 ${'data'}`;
const THREE = Buffer.concat([RECORD, RECORD, RECORD]);
const LARGEST = Buffer.concat([
  bytes`01 05 0001 ffff ff 00`,
  Buffer.alloc(65_535, 'x'),
  Buffer.alloc(255),
]);

/** Sums up the memory that the decoder asks for. */
function countAllocatedBytes(context: TestContext): () => number {
  let total = 0;
  context.mock.method(Buffer, 'allocUnsafeSlow', (sizeBytes: number) => {
    total += sizeBytes;
    return Buffer.alloc(sizeBytes);
  });
  return () => total;
}

describe('stop, throw and re-entrancy', () => {
  for (const chunkBytes of [THREE.length, 5, 1]) {
    test(`no record follows a stop from inside the sink (chunks of ${chunkBytes})`, () => {
      let records = 0;
      const decoder = new RecordDecoder({
        record: () => {
          records += 1;
          decoder.stop();
        },
      });
      for (const chunk of chunksOf(THREE, chunkBytes)) decoder.push(chunk);
      assert.equal(records, 1);
      assert.equal(decoder.pendingBytes, 0);
    });

    test(`what the sink throws passes through and ends the decoder (chunks of ${chunkBytes})`, () => {
      const failure = new TypeError('from the sink');
      let records = 0;
      const decoder = new RecordDecoder({
        record: () => {
          records += 1;
          if (records === 2) throw failure;
        },
      });
      const push = (): void => {
        for (const chunk of chunksOf(THREE, chunkBytes)) decoder.push(chunk);
      };
      assert.throws(push, (err) => err === failure);
      assert.equal(decoder.pendingBytes, 0);
      decoder.push(THREE);
      assert.equal(records, 2);
    });
  }

  test('a stop between chunks drops what was held', () => {
    const log = new RecordLog();
    const decoder = new RecordDecoder(log);
    decoder.push(RECORD.subarray(0, 10));
    decoder.stop();
    assert.equal(decoder.pendingBytes, 0);
    decoder.push(RECORD.subarray(10));
    decoder.push(RECORD);
    assert.deepEqual(log.records, []);
  });

  test('a stop inside the sink counts even if padding is still to come', () => {
    const decoder = new RecordDecoder({ record: () => decoder.stop() });
    decoder.push(bytes`01 05 0001 0000 ff 00`);
    decoder.push(bytes`99`);
    assert.equal(decoder.pendingBytes, 0);
  });

  test('pushing from inside the sink is a bug that shows at once', () => {
    const decoder = new RecordDecoder({ record: () => decoder.push(RECORD) });
    assert.throws(() => decoder.push(RECORD), /inside a record sink/);
  });

  test('pending bytes seen by the sink do not count the record that it was given', () => {
    const pending: number[] = [];
    const decoder = new RecordDecoder({ record: () => void pending.push(decoder.pendingBytes) });
    for (const chunk of chunksOf(THREE, 5)) decoder.push(chunk);
    assert.deepEqual(pending, [0, 0, 0]);
  });
});

describe('memory', () => {
  test('content that lies whole in a chunk is a view into it, even if its header came before', () => {
    for (const headerBytes of [0, 3, 8]) {
      const log = new RecordLog();
      const decoder = new RecordDecoder(log);
      const chunk = Buffer.from(RECORD.subarray(headerBytes));
      decoder.push(RECORD.subarray(0, headerBytes));
      decoder.push(chunk);
      assert.equal(log.records[0]?.content.buffer, chunk.buffer);
      assert.equal(log.records[0].content.toString(), 'data');
    }
  });

  test('whole records in whole chunks take no memory at all', (context) => {
    const allocatedBytes = countAllocatedBytes(context);
    decodeChunks([THREE, THREE, THREE]);
    assert.equal(allocatedBytes(), 0);
  });

  test('content that was handed out is never written to again', () => {
    const letters = Array.from('abcdefghijklmnopqrstuvwxyz');
    const stream = letters.map((letter) => bytes`01 05 0001 0320 00 00 ${letter.repeat(800)}`);
    const seen = decodeChunks(chunksOf(Buffer.concat(stream), 500));
    assert.deepEqual(
      seen.map(({ content }) => content.toString()),
      letters.map((letter) => letter.repeat(800)),
    );
  });

  test('item 4: the largest record is held once, and its padding is not held', () => {
    const decoder = new RecordDecoder(new RecordLog());
    let pendingMaxBytes = 0;
    for (const chunk of chunksOf(LARGEST, 1_000)) {
      decoder.push(chunk);
      pendingMaxBytes = Math.max(pendingMaxBytes, decoder.pendingBytes);
    }
    assert.ok(pendingMaxBytes > 60_000);
    assert.ok(pendingMaxBytes < 8 + 65_535);
    assert.equal(decoder.pendingBytes, 0);
  });

  for (const chunkBytes of [1, 64, 1_024, 40_000]) {
    test(`item 4: the largest record in chunks of ${chunkBytes} is not copied quadratically`, (context) => {
      const allocatedBytes = countAllocatedBytes(context);
      const seen = decodeChunks(chunksOf(LARGEST, chunkBytes));
      assert.equal(seen[0]?.content.length, 65_535);
      assert.ok(allocatedBytes() < 2 * 65_535, `${allocatedBytes()} bytes`);
    });
  }

  test('a header that announces much costs little until the content comes', (context) => {
    const allocatedBytes = countAllocatedBytes(context);
    const decoder = new RecordDecoder(new RecordLog());
    decoder.push(LARGEST.subarray(0, 8));
    assert.equal(allocatedBytes(), 0);
    decoder.push(LARGEST.subarray(8, 9));
    assert.ok(allocatedBytes() <= 512);
  });
});
