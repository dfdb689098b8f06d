// The codec and its twin agree: what one encodes the other decodes, in both directions.
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';

import fc from 'fast-check';

import {
  decodeBeginRequest,
  decodeEndRequest,
  encodeLastOutput,
  encodeStream,
  encodeRequestHead,
  ParamsDecoder,
  RecordDecoder,
  RecordEncoder,
  RecordType,
} from '../../src/fcgi-protocol/index.js';
import { anyCuts, anyParams, anyRecord, cut } from '../support/arbitrary-records.js';
import { decodeChunks, RecordLog, WriteLog } from '../support/record-log.js';
import {
  twinConcat,
  TwinDecoder,
  twinDecodePairs,
  twinEncode,
  twinEncodePairs,
  type TwinRecord,
} from './twin-codec.js';

const byte = fc.nat(255);
const id = fc.integer({ min: 1, max: 65_535 });
const twinDecode = (bytes: Uint8Array): TwinRecord[] => new TwinDecoder().push(bytes);

test('records of the twin are decoded as they were meant', () => {
  fc.assert(
    fc.property(fc.array(anyRecord, { maxLength: 12 }), anyCuts, (records, cuts) => {
      const seen = decodeChunks(cut(twinConcat(records.map(twinEncode)), cuts));
      const expected = records.map(({ type, requestId, content }) => ({
        type,
        requestId,
        content: Buffer.from(content),
      }));
      assert.deepEqual(seen, expected);
    }),
  );
});

test('both decoders see the same records in a stream that is cut off anywhere', () => {
  const anyPart = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(fc.array(anyRecord, { maxLength: 6 }), anyPart, (records, part) => {
      const whole = twinConcat(records.map((record) => twinEncode({ ...record, paddingBytes: 0 })));
      const cutOff = whole.slice(0, Math.floor(part * whole.length));
      const log = new RecordLog();
      const decoder = new RecordDecoder(log);
      decoder.push(Buffer.from(cutOff));
      const twins = twinDecode(cutOff);
      assert.equal(log.records.length, twins.length);
      const decodedBytes = twins.reduce((sum, { content }) => sum + 8 + content.length, 0);
      assert.equal(decoder.pendingBytes, cutOff.length - decodedBytes);
    }),
  );
});

test('streams of the encoder are decoded by the twin', () => {
  const content = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.integer({ min: 65_530, max: 200_000 }).map((length) => new Uint8Array(length).fill(0x61)),
  );
  fc.assert(
    fc.property(byte, id, content, (type, requestId, sent) => {
      const log = new WriteLog();
      new RecordEncoder(log).stream(type, requestId, Buffer.from(sent));
      const records = twinDecode(log.bytes);
      assert.ok(Buffer.from(sent).equals(twinConcat(records.map((record) => record.content))));
      for (const record of records) {
        assert.deepEqual([record.type, record.requestId], [type, requestId]);
        assert.ok(record.content.length > 0 && record.paddingBytes === 0);
      }
    }),
    { numRuns: 50 },
  );
});

test('heads of requests are decoded by the twin', () => {
  fc.assert(
    fc.property(id, fc.nat(65_535), byte, anyParams, (requestId, role, flags, pairs) => {
      const head = encodeRequestHead(requestId, {
        role: role,
        flags: flags,
        params: new Map(pairs),
        isBodiless: false,
      });
      const [begin, ...params] = twinDecode(head);
      assert.equal(begin?.type, RecordType.BEGIN_REQUEST);
      assert.deepEqual(decodeBeginRequest(Buffer.from(begin.content)), { role, flags });
      assert.ok(params.every((record) => record.type === RecordType.PARAMS));
      assert.ok([begin, ...params].every((record) => record.requestId === requestId));
      assert.deepEqual(
        params.map(({ content }) => content.length === 0),
        params.map((_, index) => index === params.length - 1),
      );
      const decoded = params.map((record) => twinDecodePairs(record.content)).flat();
      assert.deepEqual(decoded, pairs);
    }),
  );
});

test('discrete records of the encoder are decoded by the twin', () => {
  const status = fc.integer({ min: 0, max: 0xffff_ffff });
  fc.assert(
    fc.property(id, status, byte, byte, (requestId, appStatus, protocolStatus, type) => {
      const log = new WriteLog();
      const encoder = new RecordEncoder(log);
      encoder.endRequest(requestId, appStatus, protocolStatus);
      encoder.abortRequest(requestId);
      encoder.unknownType(type);
      const records = twinDecode(log.bytes);
      assert.deepEqual(
        records.map((record) => [record.type, record.requestId, record.content.length]),
        [
          [RecordType.END_REQUEST, requestId, 8],
          [RecordType.ABORT_REQUEST, requestId, 0],
          [RecordType.UNKNOWN_TYPE, 0, 8],
        ],
      );
      const end = decodeEndRequest(Buffer.from(records[0]?.content ?? []));
      assert.deepEqual(end, { appStatus, protocolStatus });
      assert.deepEqual([...(records[2]?.content ?? [])], [type, 0, 0, 0, 0, 0, 0, 0]);
    }),
  );
});

const anyLength = fc.oneof(fc.nat(100), fc.integer({ min: 65_534, max: 140_000 }));

/** The same bytes in as many pieces as there are cuts, empty ones among them. */
const inPieces = fc
  .tuple(anyLength, fc.array(fc.nat(140_000), { maxLength: 5 }))
  .map(([length, at]) => {
    const content = Buffer.alloc(length, 'output');
    const cuts = [0, ...at.map((it) => Math.min(it, length)).sort((a, b) => a - b), length];
    return { content, pieces: cuts.slice(1).map((end, i) => content.subarray(cuts[i], end)) };
  });

test('a stream that lies in pieces is decoded by the twin, and no record of it is shorter than it has to be', () => {
  fc.assert(
    fc.property(id, inPieces, (requestId, { content, pieces }) => {
      const records = twinDecode(encodeStream(RecordType.STDOUT, requestId, pieces));
      assert.equal(records.length, Math.ceil(content.length / 65_535));
      assert.ok(content.equals(twinConcat(records.map((record) => record.content))));
    }),
    { numRuns: 50 },
  );
});

test('the last output is decoded by the twin', () => {
  fc.assert(
    fc.property(id, inPieces, (requestId, { content, pieces }) => {
      const records = twinDecode(encodeLastOutput(requestId, pieces, 3));
      const stdout = records.slice(0, -1);
      assert.ok(stdout.every((record) => record.type === RecordType.STDOUT));
      assert.equal(stdout.at(-1)?.content.length, 0);
      assert.ok(content.equals(twinConcat(stdout.map((record) => record.content))));
      assert.equal(records.at(-1)?.type, RecordType.END_REQUEST);
    }),
    { numRuns: 50 },
  );
});

test('params of the twin are decoded, with short and with long lengths, in any split', () => {
  fc.assert(
    fc.property(anyParams, fc.boolean(), anyCuts, (pairs, always4Bytes, cuts) => {
      const decoder = new ParamsDecoder();
      for (const content of cut(twinEncodePairs(pairs, always4Bytes), cuts)) decoder.push(content);
      assert.deepEqual([...decoder.end()], pairs);
    }),
  );
});
