// What holds for the decoder whatever comes: no chunking matters, no junk harms, memory is bounded.
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';

import fc from 'fast-check';

import { isUsherdError } from '../../../src/errors.js';
import { RecordDecoder } from '../../../src/fcgi-protocol/index.js';
import { LIMITS } from '../../../src/limits.js';
import { twinConcat, twinEncode } from '../../conformance/twin-codec.js';
import { anyCuts, anyRecord, cut } from '../../support/arbitrary-records.js';
import { chunksOf } from '../../support/bytes.js';
import { decodeChunks, RecordLog, type SeenRecord } from '../../support/record-log.js';

const RECORD_HELD_MAX_BYTES = 8 + 65_535 - 1;

/** Records with some bytes overwritten: mostly sense, as only that gets far into a decoder. */
const nearlyRecords = fc
  .tuple(
    fc.array(anyRecord, { minLength: 1, maxLength: 6 }),
    fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(255)), { maxLength: 4 }),
  )
  .map(([records, mutations]) => {
    const bytes = twinConcat(records.map(twinEncode));
    for (const [part, byte] of mutations) bytes[Math.floor(part * (bytes.length - 1))] = byte;
    return bytes;
  });

const anyBytes = fc.oneof(fc.uint8Array({ maxLength: 500 }), nearlyRecords);

interface Outcome {
  readonly records: readonly SeenRecord[];
  readonly failure: string | undefined;
  readonly pendingBytes: number;
}

/**
 * Pushes all chunks, holds the decoder to its bounds, and lets nothing but catalogued failures
 * pass.
 */
function outcomeOf(chunks: readonly Buffer[]): Outcome {
  const log = new RecordLog();
  const decoder = new RecordDecoder(log);
  let failure: string | undefined;
  let pushedBytes = 0;
  for (const chunk of chunks) {
    try {
      decoder.push(chunk);
    } catch (err) {
      if (!isUsherdError(err)) throw err;
      failure = err.code;
    }
    pushedBytes += chunk.length;
    assert.ok(decoder.pendingBytes <= Math.min(RECORD_HELD_MAX_BYTES, pushedBytes));
  }
  return { records: log.records, failure, pendingBytes: decoder.pendingBytes };
}

test('items 1 to 4: any chunking of the same bytes gives the same records', () => {
  fc.assert(
    fc.property(fc.array(anyRecord, { maxLength: 12 }), anyCuts, (records, cuts) => {
      const whole = Buffer.from(twinConcat(records.map(twinEncode)));
      assert.deepEqual(decodeChunks(cut(whole, cuts)), decodeChunks([whole]));
    }),
  );
});

test('items 1 and 5: any chunking of any bytes gives the same records, failure and pending bytes', () => {
  fc.assert(
    fc.property(anyBytes, anyCuts, (bytes, cuts) => {
      const whole = outcomeOf([Buffer.from(bytes)]);
      assert.deepEqual(outcomeOf(cut(bytes, cuts)), whole);
      if (bytes.length < 3_000) assert.deepEqual(outcomeOf(chunksOf(bytes, 1)), whole);
    }),
    { numRuns: 500 },
  );
});

test('item 88: any bytes fail with E_FCGI_VERSION or not at all, and less than one record is held', () => {
  fc.assert(
    fc.property(fc.array(anyBytes, { maxLength: 5 }), (chunks) => {
      const { failure } = outcomeOf(chunks.map((chunk) => Buffer.from(chunk)));
      assert.ok(failure === undefined || failure === 'E_FCGI_VERSION');
    }),
    { numRuns: 500 },
  );
});

test('a stop at any record ends the records there', () => {
  fc.assert(
    fc.property(
      fc.array(anyRecord, { maxLength: 12 }),
      anyCuts,
      fc.nat(12),
      (records, cuts, after) => {
        let count = 0;
        const decoder = new RecordDecoder({
          record: () => {
            count += 1;
            if (count > after) decoder.stop();
          },
        });
        for (const chunk of cut(twinConcat(records.map(twinEncode)), cuts)) decoder.push(chunk);
        assert.equal(count, Math.min(records.length, after + 1));
        if (records.length > after) assert.equal(decoder.pendingBytes, 0);
      },
    ),
  );
});

test('of the type that is told in pieces, every chunking tells the same bytes, and nothing of them is held', () => {
  const pieceType = 6;
  const mostlyPieces = fc
    .tuple(anyRecord, fc.boolean())
    .map(([record, isPiece]) => (isPiece ? { ...record, type: pieceType } : record));
  fc.assert(
    fc.property(fc.array(mostlyPieces, { maxLength: 12 }), anyCuts, (records, cuts) => {
      const log = new RecordLog();
      const decoder = new RecordDecoder({ pieceType, record: log.record.bind(log) });
      const encoded = records.map(twinEncode);
      let cameBytes = 0;
      for (const chunk of cut(twinConcat(encoded), cuts)) {
        const wasAtBoundary = decoder.isAtBoundary;
        decoder.push(chunk);
        cameBytes += chunk.length;
        if (chunk.length === 0) assert.equal(decoder.isAtBoundary, wasAtBoundary);
        const straddling = records[countWithin(encoded, cameBytes)];
        if (straddling?.type === pieceType)
          assert.ok(decoder.pendingBytes <= LIMITS.recordHeaderBytes);
      }
      assert.ok(decoder.isAtBoundary);
      // Pieces of one record are put together again: those that a record of the list begins with.
      const told = [...log.records];
      for (const { type, requestId, content } of records) {
        const pieces: Buffer[] = [];
        do {
          const next = told.shift();
          assert.deepEqual([next?.type, next?.requestId], [type, requestId]);
          pieces.push(next?.content ?? Buffer.alloc(0));
        } while (type === pieceType && lengthOf(pieces) < content.length);
        assert.ok(Buffer.concat(pieces).equals(content));
      }
      assert.equal(told.length, 0);
    }),
    { numRuns: 300 },
  );
});

/** How many of the first of them end within so many bytes. */
function countWithin(parts: readonly Uint8Array[], bytes: number): number {
  let end = 0;
  const count = parts.findIndex(({ length }) => (end += length) > bytes);
  return count === -1 ? parts.length : count;
}

const lengthOf = (parts: readonly Buffer[]): number =>
  parts.reduce((sum, { length }) => sum + length, 0);
