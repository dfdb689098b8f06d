// What the encoder writes and in how many writes, compared with bytes written by hand.
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, test } from 'node:test';

import {
  encodeLastOutput,
  encodeRecordHeader,
  encodeRequestHead,
  Flag,
  ProtocolStatus,
  RecordEncoder,
  RecordType,
  Role,
} from '../../../src/fcgi-protocol/index.js';
import { bytes } from '../../support/bytes.js';
import { decodeChunks, WriteLog } from '../../support/record-log.js';

function written(write: (encoder: RecordEncoder) => boolean): WriteLog {
  const log = new WriteLog();
  assert.equal(write(new RecordEncoder(log)), true);
  return log;
}

describe('discrete records', () => {
  test('BEGIN_REQUEST is 16 bytes in one write', () => {
    const log = written((encoder) => encoder.beginRequest(0x0102, Role.AUTHORIZER, Flag.KEEP_CONN));
    assert.deepEqual(log.writes, [bytes`01 01 0102 0008 00 00  0002 01 0000000000`]);
  });

  test('END_REQUEST is 16 bytes in one write', () => {
    const log = written((encoder) => encoder.endRequest(1, 938, ProtocolStatus.OVERLOADED));
    assert.deepEqual(log.writes, [bytes`01 03 0001 0008 00 00  000003aa 02 000000`]);
  });

  test('the highest app status fits', () => {
    const log = written((encoder) => encoder.endRequest(1, 0xffff_ffff, 0));
    assert.deepEqual(log.bytes.subarray(8), bytes`ffffffff 00 000000`);
  });

  test('ABORT_REQUEST has no body', () => {
    const log = written((encoder) => encoder.abortRequest(65_535));
    assert.deepEqual(log.writes, [bytes`01 02 ffff 0000 00 00`]);
  });

  test('item 6: UNKNOWN_TYPE carries the type, with request id 0', () => {
    const log = written((encoder) => encoder.unknownType(42));
    assert.deepEqual(log.writes, [bytes`01 0b 0000 0008 00 00  2a 00000000000000`]);
  });
});

describe('management records', () => {
  test('item 14: GET_VALUES carries names with empty values', () => {
    const log = written((encoder) => encoder.getValues(['FCGI_MAX_CONNS', 'FCGI_MAX_REQS']));
    const expected = bytes`01 09 0000 001f 00 00  0e 00 ${'FCGI_MAX_CONNS'} 0d 00 ${'FCGI_MAX_REQS'}`;
    assert.deepEqual(log.writes, [expected]);
  });

  test('item 14: GET_VALUES_RESULT carries names with values, and may be empty', () => {
    const pairs = new Map([['FCGI_MPXS_CONNS', '1']]);
    const log = written((encoder) => encoder.getValuesResult(pairs));
    assert.deepEqual(log.writes, [bytes`01 0a 0000 0012 00 00  0f 01 ${'FCGI_MPXS_CONNS'} 31`]);
    const empty = written((encoder) => encoder.getValuesResult(new Map()));
    assert.deepEqual(empty.writes, [bytes`01 0a 0000 0000 00 00`]);
  });

  test('pairs that need two records are refused, as management records do not continue', () => {
    const pairs = new Map([
      ['A', 'x'.repeat(40_000)],
      ['B', 'x'.repeat(40_000)],
    ]);
    const log = new WriteLog();
    assert.throws(() => new RecordEncoder(log).getValuesResult(pairs), {
      code: 'E_PARAMS_TOO_LARGE',
    });
    assert.deepEqual(log.writes, []);
  });
});

describe('streams', () => {
  test('content is passed on without a copy, with its header under one cork', () => {
    const log = new WriteLog();
    const content = bytes`${'hello'}`;
    new RecordEncoder(log).stream(RecordType.STDOUT, 3, content);
    assert.deepEqual(log.writes, [bytes`01 06 0003 0005 00 00`, content]);
    assert.equal(log.writes[1], content);
    assert.deepEqual([log.corks, log.corked], [1, 0]);
  });

  test('item 50: empty content writes nothing, as it would end the stream', () => {
    const log = written((encoder) => encoder.stream(RecordType.STDOUT, 1, Buffer.alloc(0)));
    assert.deepEqual(log.writes, []);
  });

  test('the end of a stream is the empty record', () => {
    const log = written((encoder) => encoder.endStream(RecordType.STDIN, 1));
    assert.deepEqual(log.writes, [bytes`01 05 0001 0000 00 00`]);
  });

  for (const [length, lengths] of [
    [65_535, [65_535]],
    [65_536, [65_535, 1]],
    [131_070, [65_535, 65_535]],
    [200_000, [65_535, 65_535, 65_535, 3_395]],
  ] as const) {
    test(`item 2: ${length} bytes go out as ${lengths.length} records under one cork`, () => {
      const content = Buffer.alloc(length, 'abcdefg');
      const log = written((encoder) => encoder.stream(RecordType.STDIN, 1, content));
      const records = decodeChunks([log.bytes]);
      assert.deepEqual(
        records.map((record) => record.content.length),
        lengths,
      );
      assert.deepEqual(Buffer.concat(records.map((record) => record.content)), content);
      assert.deepEqual([log.corks, log.corked], [1, 0]);
      for (const part of log.writes.filter((_, index) => index % 2 === 1)) {
        assert.equal(part.buffer, content.buffer);
      }
    });
  }

  test('every method returns what the last write said', () => {
    const log = new WriteLog();
    const encoder = new RecordEncoder(log);
    const calls = [
      () => encoder.beginRequest(1, 1, 0),
      () => encoder.params(1, new Map()),
      () => encoder.stream(5, 1, bytes`41`),
      () => encoder.endStream(5, 1),
      () => encoder.endRequest(1, 0, 0),
      () => encoder.abortRequest(1),
      () => encoder.getValues([]),
      () => encoder.getValuesResult(new Map()),
      () => encoder.unknownType(12),
    ];
    for (const mayWriteMore of [true, false]) {
      log.mayWriteMore = mayWriteMore;
      for (const call of calls) assert.equal(call(), mayWriteMore);
    }
  });
});

describe('params', () => {
  test('all pairs and the end of the stream go out in one write', () => {
    const pairs = new Map([
      ['SERVER_PORT', '80'],
      ['EMPTY', ''],
    ]);
    const log = written((encoder) => encoder.params(1, pairs));
    assert.deepEqual(log.writes, [
      bytes`01 04 0001 0016 00 00  0b 02 ${'SERVER_PORT80'} 05 00 ${'EMPTY'}  01 04 0001 0000 00 00`,
    ]);
  });

  test('no pairs are the empty record alone', () => {
    const log = written((encoder) => encoder.params(1, new Map()));
    assert.deepEqual(log.writes, [bytes`01 04 0001 0000 00 00`]);
  });

  test('item 24: pairs stay whole, in records of at most 65535 bytes', () => {
    const pairs = new Map([
      ['A', 'x'.repeat(65_529)], // fills a record: 1 + 4 + 1 + 65529
      ['B', 'x'.repeat(65_528)],
      ['C', ''], // 3 bytes where 1 is left
      ['D', 'x'.repeat(65_526)], // fills a record together with C
      ['E', '1'],
    ]);
    const records = decodeChunks([written((encoder) => encoder.params(1, pairs)).bytes]);
    assert.deepEqual(
      records.map(({ content }) => content.length),
      [65_535, 65_534, 65_535, 4, 0],
    );
    assert.deepEqual(
      records.map(({ content }) => content.toString('latin1', 0, 8)),
      [
        '\x01\x80\x00\xff\xf9Axx',
        '\x01\x80\x00\xff\xf8Bxx',
        '\x01\x00C\x01\x80\x00\xff\xf6',
        '\x01\x01E1',
        '',
      ],
    );
  });

  test('item 24: a pair longer than a record is refused and nothing is written', () => {
    const log = new WriteLog();
    const pairs = new Map([['A', 'x'.repeat(65_530)]]);
    assert.throws(() => new RecordEncoder(log).params(1, pairs), { code: 'E_PARAMS_TOO_LARGE' });
    assert.throws(
      () => encodeRequestHead(1, { role: 1, flags: 0, params: pairs, isBodiless: false }),
      { code: 'E_PARAMS_TOO_LARGE' },
    );
    assert.deepEqual(log.writes, []);
  });

  test('item 22: chars from 128 to 255 are one byte each', () => {
    const log = written((encoder) => encoder.params(1, new Map([['\xe9', '\x80\xff']])));
    assert.deepEqual(log.bytes.subarray(8, 13), bytes`01 02 e9 80 ff`);
  });

  test('a char above 255 is refused instead of losing its upper half', () => {
    for (const pair of [
      ['A', '\u0100'],
      ['\u20ac', 'x'],
    ] as const) {
      const encoder = new RecordEncoder(new WriteLog());
      assert.throws(() => encoder.params(1, new Map([pair])), { code: 'E_PARAMS_MALFORMED' });
    }
  });
});

describe('whole messages in one Buffer', () => {
  test('item 73: the head of a request holds BEGIN_REQUEST, PARAMS and the end of PARAMS', () => {
    const head = encodeRequestHead(1, {
      role: Role.RESPONDER,
      flags: 0,
      params: new Map([['A', 'b']]),
      isBodiless: false,
    });
    const begin = bytes`01 01 0001 0008 00 00  0001 00 0000000000`;
    const params = bytes`01 04 0001 0004 00 00  01 01 ${'Ab'}  01 04 0001 0000 00 00`;
    assert.deepEqual(head, Buffer.concat([begin, params]));
  });

  test('item 57: the last output holds content, the end of STDOUT and END_REQUEST', () => {
    assert.deepEqual(
      encodeLastOutput(2, [bytes`${'by'}`, bytes`${'e'}`], 0),
      bytes`01 06 0002 0003 00 00 ${'bye'}  01 06 0002 0000 00 00  01 03 0002 0008 00 00 0000000000000000`,
    );
  });

  test('item 60: the last output may be empty', () => {
    assert.deepEqual(
      encodeLastOutput(2, [], 7),
      bytes`01 06 0002 0000 00 00  01 03 0002 0008 00 00 0000000700000000`,
    );
  });

  test('a last output of more than one record is split', () => {
    const content = Buffer.alloc(131_071, 'xyz');
    const records = decodeChunks([
      encodeLastOutput(1, [content.subarray(0, 7), content.subarray(7)], 0),
    ]);
    assert.deepEqual(
      records.map(({ type, content: { length } }) => [type, length]),
      [
        [6, 65_535],
        [6, 65_535],
        [6, 1],
        [6, 0],
        [3, 8],
      ],
    );
    assert.deepEqual(Buffer.concat(records.slice(0, 3).map((record) => record.content)), content);
  });

  test('a header stands alone for content that goes another way', () => {
    assert.deepEqual(encodeRecordHeader(8, 0x1234, 0xabcd), bytes`01 08 1234 abcd 00 00`);
  });
});

test('an id, a type or a length that does not fit its field is a bug, never another number', () => {
  const encoder = new RecordEncoder(new WriteLog());
  assert.throws(() => encodeRecordHeader(5, 65_536, 0), RangeError);
  assert.throws(() => encodeRecordHeader(256, 1, 0), RangeError);
  assert.throws(() => encodeRecordHeader(5, 1, 65_536), RangeError);
  assert.throws(() => encoder.endRequest(-1, 0, 0), RangeError);
  assert.throws(() => encoder.endRequest(1, 2 ** 32, 0), RangeError);
});
