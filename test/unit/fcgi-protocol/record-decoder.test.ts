// The decoder's records: chunks, padding, versions, and types and ids that it does not judge.
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, test } from 'node:test';

import { RecordDecoder, RecordType } from '../../../src/fcgi-protocol/index.js';
import { bytes, chunksAt, chunksOf } from '../../support/bytes.js';
import { decodeChunks, RecordLog } from '../../support/record-log.js';

const BEGIN = bytes`01 01 0001 0008 00 00  0001 01 0000000000`;
const STDIN = bytes`01 05 0001 0005 03 00 ${'hello'} 000000`;
const EMPTY_STDIN = bytes`01 05 0001 0000 00 00`;
const MESSAGE = Buffer.concat([BEGIN, STDIN, EMPTY_STDIN]);
const MESSAGE_RECORDS = [
  { type: 1, requestId: 1, content: bytes`0001 01 0000000000` },
  { type: 5, requestId: 1, content: bytes`${'hello'}` },
  { type: 5, requestId: 1, content: bytes`` },
];

/** A record whose content tells its places apart. */
function bigRecord(
  contentBytes: number,
  paddingBytes: number,
): { record: Buffer; content: Buffer } {
  const content = Buffer.alloc(contentBytes);
  for (let i = 0; i < contentBytes; i += 1) content[i] = (i * 31 + (i >>> 8)) & 0xff;
  const header = bytes`01 06 0007 ${contentBytes >>> 8}${contentBytes & 0xff} ${paddingBytes} 00`;
  return { record: Buffer.concat([header, content, Buffer.alloc(paddingBytes, 0xee)]), content };
}

describe('chunks', () => {
  test('item 1: many records in one chunk come in order', () => {
    assert.deepEqual(decodeChunks([MESSAGE]), MESSAGE_RECORDS);
  });

  for (let size = 1; size < MESSAGE.length; size += 1) {
    test(`item 1: chunks of ${size} bytes give the same records`, () => {
      assert.deepEqual(decodeChunks(chunksOf(MESSAGE, size)), MESSAGE_RECORDS);
    });
  }

  test('item 1: a split at any two places gives the same records', () => {
    for (let first = 0; first <= MESSAGE.length; first += 1) {
      for (let second = first; second <= MESSAGE.length; second += 1) {
        assert.deepEqual(decodeChunks(chunksAt(MESSAGE, [first, second])), MESSAGE_RECORDS);
      }
    }
  });

  test('an empty chunk changes nothing', () => {
    const chunks = chunksOf(MESSAGE, 3).flatMap((chunk) => [Buffer.alloc(0), chunk]);
    assert.deepEqual(decodeChunks(chunks), MESSAGE_RECORDS);
  });

  for (const contentBytes of [0, 1, 8_191, 8_192, 8_193, 65_535]) {
    for (const chunkBytes of [1_000, 8_192, 65_536, 1_000_000]) {
      test(`item 2: content of ${contentBytes} bytes in chunks of ${chunkBytes}`, () => {
        const { record, content } = bigRecord(contentBytes, 0);
        const seen = decodeChunks(chunksOf(Buffer.concat([record, record, record]), chunkBytes));
        const expected = { type: 6, requestId: 7, content };
        assert.deepEqual(seen, [expected, expected, expected]);
      });
    }
  }

  for (const paddingBytes of [0, 1, 7, 255]) {
    for (const contentBytes of [0, 3]) {
      test(`item 3: ${paddingBytes} bytes of junk padding after ${contentBytes} are skipped in any split`, () => {
        const { record, content } = bigRecord(contentBytes, paddingBytes);
        const whole = Buffer.concat([record, EMPTY_STDIN]);
        const expected = [{ type: 6, requestId: 7, content }, MESSAGE_RECORDS[2]];
        for (let place = 0; place <= whole.length; place += 1) {
          assert.deepEqual(decodeChunks(chunksAt(whole, [place])), expected);
        }
        assert.deepEqual(decodeChunks(chunksOf(whole, 1)), expected);
      });
    }
  }

  test('item 3: junk in the reserved byte is ignored', () => {
    const record = bytes`01 05 0001 0001 00 ff 41`;
    assert.deepEqual(decodeChunks([record]), [{ type: 5, requestId: 1, content: bytes`41` }]);
  });

  test('item 3: a record is handed out before its padding has come', () => {
    const log = new RecordLog();
    const decoder = new RecordDecoder(log);
    decoder.push(STDIN.subarray(0, STDIN.length - 3));
    assert.equal(log.records.length, 1);
    assert.equal(decoder.pendingBytes, 0);
    decoder.push(STDIN.subarray(STDIN.length - 3));
    decoder.push(EMPTY_STDIN);
    assert.equal(log.records.length, 2);
  });
});

describe('version', () => {
  for (const version of [0, 2, 0x47, 255]) {
    test(`item 5: version ${version} ends the connection after the records before it (T70)`, () => {
      for (const place of [0, BEGIN.length, BEGIN.length + 1, BEGIN.length + 4]) {
        const log = new RecordLog();
        const decoder = new RecordDecoder(log);
        const whole = Buffer.concat([BEGIN, bytes`${version} 05 0001 0000 00 00`, EMPTY_STDIN]);
        const push = (): void => {
          for (const chunk of chunksAt(whole, [place])) decoder.push(chunk);
        };
        assert.throws(push, { name: 'UsherdError', code: 'E_FCGI_VERSION' });
        assert.deepEqual(log.records, MESSAGE_RECORDS.slice(0, 1));
      }
    });
  }

  test('item 5: a wrong version is refused by its first byte', () => {
    const decoder = new RecordDecoder(new RecordLog());
    assert.throws(() => decoder.push(bytes`${'G'}`), { code: 'E_FCGI_VERSION' });
  });

  test('item 5: after a wrong version the decoder is dead and holds nothing', () => {
    const log = new RecordLog();
    const decoder = new RecordDecoder(log);
    assert.throws(() => decoder.push(bytes`02`), { code: 'E_FCGI_VERSION' });
    decoder.push(MESSAGE);
    assert.deepEqual(log.records, []);
    assert.equal(decoder.pendingBytes, 0);
  });

  test('item 5: other decoders go on', () => {
    const broken = new RecordDecoder(new RecordLog());
    assert.throws(() => broken.push(bytes`00`), { code: 'E_FCGI_VERSION' });
    assert.deepEqual(decodeChunks([MESSAGE]), MESSAGE_RECORDS);
  });
});

describe('types and request ids are for the connection to judge', () => {
  test('items 6 and 7: every type is passed on, with and without request id', () => {
    for (const requestId of [0, 1]) {
      for (let type = 0; type <= 255; type += 1) {
        const seen = decodeChunks([bytes`01 ${type} 00 ${requestId} 0001 00 00 5a`]);
        assert.deepEqual(seen, [{ type, requestId, content: bytes`5a` }]);
      }
    }
  });

  test('items 9 to 11: records come as they were sent, whatever was sent for that id before', () => {
    const abort = bytes`01 02 0009 0000 00 00`;
    const types = decodeChunks([BEGIN, BEGIN, abort, STDIN, BEGIN]).map(({ type }) => type);
    assert.deepEqual(types, [1, 1, 2, 5, 1]);
  });

  test('item 12: ids 1, 256 and 65535 are told apart', () => {
    const chunk = bytes`01 05 0001 0000 0000  01 05 0100 0000 0000  01 05 ffff 0000 0000`;
    assert.deepEqual(
      decodeChunks([chunk]).map(({ requestId }) => requestId),
      [1, 256, 65_535],
    );
  });

  test('item 12: 70000 requests one after another leave nothing behind', () => {
    let ends = 0;
    const decoder = new RecordDecoder({
      record: (type, _requestId, content) => {
        if (type === RecordType.STDIN && content.length === 0) ends += 1;
      },
    });
    for (let i = 0; i < 70_000; i += 1) decoder.push(MESSAGE);
    assert.equal(ends, 70_000);
    assert.equal(decoder.pendingBytes, 0);
  });

  test('item 13: 1000 interleaved ids each get their own bytes, in order', () => {
    const rounds = [0, 1, 2];
    const records = rounds.flatMap((round) =>
      Array.from({ length: 1_000 }, (_, index) => {
        const id = ((index * 7) % 1_000) + 1;
        const text = `${id}.${round};`;
        return bytes`01 05 ${id >>> 8}${id & 0xff} 00${text.length} 02 00 ${text} ffff`;
      }),
    );
    const streams = new Map<number, string>();
    for (const { requestId, content } of decodeChunks(chunksOf(Buffer.concat(records), 777))) {
      streams.set(requestId, (streams.get(requestId) ?? '') + content.toString('latin1'));
    }
    assert.equal(streams.size, 1_000);
    for (const [id, text] of streams) assert.equal(text, `${id}.0;${id}.1;${id}.2;`);
  });

  test('item 16: pending bytes tell an end inside a record from one between records', () => {
    const decoder = new RecordDecoder(new RecordLog());
    assert.equal(decoder.pendingBytes, 0);
    decoder.push(MESSAGE.subarray(0, 5));
    assert.equal(decoder.pendingBytes, 5);
    decoder.push(MESSAGE.subarray(5, 12));
    assert.equal(decoder.pendingBytes, 12);
    decoder.push(MESSAGE.subarray(12));
    assert.equal(decoder.pendingBytes, 0);
  });
});
