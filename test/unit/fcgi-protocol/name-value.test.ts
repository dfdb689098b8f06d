// Name-value pairs: lengths, splits, limits, and what is refused.
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, test } from 'node:test';

import {
  decodeNameValues,
  encodeRequestHead,
  nameValueLength,
  type NameValueLimits,
  ParamsDecoder,
} from '../../../src/fcgi-protocol/index.js';
import { LIMITS } from '../../../src/limits.js';
import { bytes, chunksAt, chunksOf } from '../../support/bytes.js';

const WIDE: NameValueLimits = {
  totalMaxBytes: 1_000_000,
  pairMaxCount: 1_000,
  nameMaxBytes: 200_000,
  valueMaxBytes: 200_000,
};

function decode(contents: readonly Buffer[], limits?: NameValueLimits): [string, string][] {
  const decoder = new ParamsDecoder(limits);
  for (const content of contents) decoder.push(content);
  return [...decoder.end()];
}

/** The length field as §3.4 draws it, in the form asked for. */
function lengthField(length: number, form: 'short' | 'long'): Buffer {
  if (form === 'short') return bytes`${length}`;
  return bytes`${0x80 | (length >>> 24)}${(length >>> 16) & 0xff}${(length >>> 8) & 0xff}${length & 0xff}`;
}

const TWO_PAIRS = bytes`0b 02 ${'SERVER_PORT80'} 80000003 80000002 ${'abcde'}`;
const TWO_PAIRS_DECODED = [
  ['SERVER_PORT', '80'],
  ['abc', 'de'],
];

describe('lengths', () => {
  for (const length of [0, 1, 127, 128, 65_535, 70_000]) {
    for (const form of ['short', 'long'] as const) {
      if (form === 'short' && length > 127) continue;
      test(`item 17: a value of ${length} bytes with a ${form} length`, () => {
        const content = bytes`01 ${lengthField(length, form)} ${'N'} ${'v'.repeat(length)}`;
        assert.deepEqual(decode([content], WIDE), [['N', 'v'.repeat(length)]]);
      });

      test(`item 17: a name of ${length} bytes with a ${form} length`, () => {
        const content = bytes`${lengthField(length, form)} 01 ${'n'.repeat(length)} ${'V'}`;
        const expected = length === 0 ? [] : [['n'.repeat(length), 'V']];
        assert.deepEqual(decode([content], WIDE), expected);
      });
    }
  }

  for (const [name, value] of [
    ['', ''],
    ['a', ''],
    ['n'.repeat(127), 'v'.repeat(127)],
    ['n'.repeat(128), 'v'.repeat(127)],
    ['n'.repeat(127), 'v'.repeat(128)],
    ['n'.repeat(128), 'v'.repeat(40_000)],
  ] as const) {
    test(`item 25: the length of a pair of ${name.length} and ${value.length} is known beforehand`, () => {
      const head = encodeRequestHead(1, {
        role: 1,
        flags: 0,
        params: new Map([[name, value]]),
        isBodiless: false,
      });
      assert.equal(nameValueLength(name, value), head.length - 16 - 8 - 8);
    });
  }
});

describe('splits', () => {
  test('item 18: a pair split over two or three records at any place is whole again', () => {
    for (let first = 0; first <= TWO_PAIRS.length; first += 1) {
      for (let second = first; second <= TWO_PAIRS.length; second += 1) {
        assert.deepEqual(decode(chunksAt(TWO_PAIRS, [first, second])), TWO_PAIRS_DECODED);
      }
    }
  });

  test('item 18: one byte a record (T71)', () => {
    assert.deepEqual(decode(chunksOf(TWO_PAIRS, 1)), TWO_PAIRS_DECODED);
  });

  test('item 18: a pair split over fifty records', () => {
    const value = Array.from({ length: 5_000 }, (_, i) => String(i % 10)).join('');
    const content = bytes`04 80001388 ${'LONG'} ${value}`;
    const contents = chunksOf(content, Math.ceil(content.length / 50));
    assert.equal(contents.length, 50);
    assert.deepEqual(decode(contents), [['LONG', value]]);
  });

  test('item 17: a length field split at each of its bytes', () => {
    const content = bytes`80000001 80000001 ${'ab'}`;
    for (let place = 0; place <= content.length; place += 1) {
      assert.deepEqual(decode(chunksAt(content, [place])), [['a', 'b']]);
    }
  });

  test('no view is kept: the record may be overwritten after the push', () => {
    const decoder = new ParamsDecoder();
    const content = Buffer.from(TWO_PAIRS);
    decoder.push(content.subarray(0, 20));
    content.fill(0, 0, 20);
    decoder.push(content.subarray(20));
    assert.deepEqual([...decoder.end()], TWO_PAIRS_DECODED);
  });

  test('item 18: the carry for a split pair is not copied for each byte', (context) => {
    const value = 'v'.repeat(16_000);
    const content = bytes`01 80003e80 ${'N'} ${value}`;
    const allocate = context.mock.method(Buffer, 'alloc');
    const decoder = new ParamsDecoder();
    for (let at = 0; at < content.length; at += 1) decoder.push(content.subarray(at, at + 1));
    assert.equal(decoder.end().get('N'), value);
    const sizes = allocate.mock.calls.map(({ arguments: [sizeBytes] }) => sizeBytes);
    assert.ok(sizes.length < 10, `${sizes.length} allocations`);
    assert.ok(sizes.reduce((sum, size) => sum + size, 0) < 4 * content.length);
  });
});

describe('refusals', () => {
  for (const cut of [1, 2, 5, 14, 16, 20, 23, 24, 26, 27]) {
    test(`item 19: a stream cut after ${cut} bytes is malformed`, () => {
      const content = TWO_PAIRS.subarray(0, cut);
      assert.throws(() => decode([content]), { code: 'E_PARAMS_MALFORMED' });
      assert.throws(() => decode(chunksOf(content, 1)), { code: 'E_PARAMS_MALFORMED' });
    });
  }

  for (const announced of [bytes`ffffffff`, bytes`80010000`]) {
    const hex = announced.toString('hex');
    test(`item 19: lengths of ${hex} are refused as soon as they are read, without memory (T71)`, (context) => {
      const allocate = context.mock.method(Buffer, 'alloc');
      for (const content of [bytes`${announced}`, bytes`01 ${announced}`]) {
        assert.throws(() => new ParamsDecoder().push(content), { code: 'E_PARAMS_TOO_LARGE' });
      }
      assert.equal(allocate.mock.callCount(), 0);
    });
  }

  test('item 21: a stream ended by its first record has no params', () => {
    assert.deepEqual(decode([]), []);
  });

  test('item 22: a name that comes twice is refused, whatever its values (T72)', () => {
    const twice = bytes`01 01 ${'Aa'} 01 01 ${'Bb'} 01 01 ${'Aa'}`;
    assert.throws(() => decode([twice]), { code: 'E_PARAMS_DUPLICATE', message: 'A' });
    assert.throws(() => decode(chunksOf(twice, 1)), { code: 'E_PARAMS_DUPLICATE' });
  });

  test('item 22: names that differ in case or by one byte are different names', () => {
    const content = bytes`01 00 ${'A'} 01 00 ${'a'} 01 00 c1`;
    assert.deepEqual(decode([content]), [
      ['A', ''],
      ['a', ''],
      ['\xc1', ''],
    ]);
  });

  test('item 22: empty names are dropped, even several, and their values with them', () => {
    const content = bytes`00 01 ${'x'} 01 01 ${'Aa'} 00 00 00 02 ${'yy'}`;
    assert.deepEqual(decode([content]), [['A', 'a']]);
  });

  for (const content of [bytes`02 01 ${'A'} 00 ${'v'}`, bytes`01 01 ${'A'} 00`, bytes`00 01 00`]) {
    test(`item 22: a NUL byte is refused (${content.toString('hex')})`, () => {
      assert.throws(() => decode([content]), { code: 'E_PARAMS_MALFORMED' });
    });
  }

  test('item 22: all other bytes come out as they went in (T72)', () => {
    const value = Buffer.from(Array.from({ length: 255 }, (_, i) => i + 1));
    const [pair] = decode([bytes`01 800000ff ${'N'} ${value}`]);
    assert.deepEqual(Buffer.from(pair?.[1] ?? '', 'latin1'), value);
  });

  test('items 26 to 29: nothing is filtered or repaired here, __proto__ is a name like any other', () => {
    const pairs: [string, string][] = [
      ['__proto__', 'x'],
      ['constructor', ''],
      ['HTTP_PROXY', 'http://evil/'],
      ['CONTENT_LENGTH', '+5'],
      ['SCRIPT_FILENAME', 'proxy:fcgi://[::1]:9//p%20q/../\xc3\xa9'],
    ];
    const head = encodeRequestHead(1, {
      role: 1,
      flags: 0,
      params: new Map(pairs),
      isBodiless: false,
    });
    assert.deepEqual(decode([head.subarray(24, -8)]), pairs);
  });
});

describe('limits', () => {
  const limits = { totalMaxBytes: 40, pairMaxCount: 3, nameMaxBytes: 5, valueMaxBytes: 20 };
  const refused = { name: 'UsherdError', code: 'E_PARAMS_TOO_LARGE' };

  test('a name at the limit is taken, one byte more is refused by its length alone', () => {
    assert.deepEqual(decode([bytes`05 00 ${'ABCDE'}`], limits), [['ABCDE', '']]);
    assert.throws(() => new ParamsDecoder(limits).push(bytes`06`), refused);
  });

  test('a value at the limit is taken, one byte more is refused by its length alone', () => {
    assert.deepEqual(decode([bytes`01 14 ${'N'} ${'v'.repeat(20)}`], limits), [
      ['N', 'v'.repeat(20)],
    ]);
    assert.throws(() => new ParamsDecoder(limits).push(bytes`01 15`), refused);
  });

  test('as many pairs as the limit are taken, one more is refused, empty names count (T72)', () => {
    const three = bytes`01 00 ${'A'} 00 00 01 00 ${'B'}`;
    assert.deepEqual(decode([three], limits), [
      ['A', ''],
      ['B', ''],
    ]);
    assert.throws(() => decode([three, bytes`01 00 ${'C'}`], limits), refused);
  });

  test('item 20: a stream at the limit is taken, one byte more is refused (T72)', () => {
    const forty = bytes`05 0e ${'ABCDE'} ${'v'.repeat(14)} 01 10 ${'N'} ${'v'.repeat(16)}`;
    assert.equal(forty.length, 40);
    assert.equal(decode([forty], limits).length, 2);
    assert.throws(() => decode([forty, bytes`00`], limits), refused);
    assert.throws(() => decode([bytes`${forty} 00`], limits), refused);
  });

  test('item 20: what follows a refusal can be drained, and the end says the first reason again', () => {
    const decoder = new ParamsDecoder(limits);
    assert.throws(() => decoder.push(Buffer.alloc(41)), refused);
    for (let i = 0; i < 1_000; i += 1) decoder.push(Buffer.alloc(65_535));
    assert.throws(() => decoder.end(), refused);
  });

  test('a bad pair is told at the end only, whatever comes after it', () => {
    const decoder = new ParamsDecoder(limits);
    decoder.push(bytes`01 01 ${'A'} 00`);
    decoder.push(Buffer.alloc(1_000));
    assert.throws(() => decoder.end(), { code: 'E_PARAMS_MALFORMED' });
  });

  test('the default limits are those of the house', () => {
    const { paramNameMaxBytes, paramValueMaxBytes, paramsPairMaxCount } = LIMITS;
    assert.throws(() => decode([lengthField(paramNameMaxBytes + 1, 'long')]), refused);
    assert.throws(
      () => decode([bytes`01 ${lengthField(paramValueMaxBytes + 1, 'long')}`]),
      refused,
    );
    const pairs = Array.from(
      { length: paramsPairMaxCount + 1 },
      (_, i) => bytes`04 00 ${`N${i + 100}`}`,
    );
    assert.equal(decode(pairs.slice(1)).length, paramsPairMaxCount);
    assert.throws(() => decode(pairs), refused);
    const name = 'n'.repeat(paramNameMaxBytes);
    const value = 'v'.repeat(paramValueMaxBytes);
    const longest = encodeRequestHead(1, {
      role: 1,
      flags: 0,
      params: new Map([[name, value]]),
      isBodiless: false,
    }).subarray(24, -8);
    assert.deepEqual(decode([longest]), [[name, value]]);
  });

  test('item 20: 60 KiB of params are taken by default, one byte more is refused', () => {
    const value = 'v'.repeat(16_000);
    const most = ['A', 'B', 'C'].map((name) => bytes`01 80003e80 ${name} ${value}`);
    const missing = LIMITS.paramsTotalMaxBytes - 3 * 16_006;
    const last = bytes`01 ${lengthField(missing - 6, 'long')} ${'E'} ${'v'.repeat(missing - 6)}`;
    assert.equal(decode([...most, last]).length, 4);
    assert.throws(() => decode([...most, last, bytes`00`]), refused);
  });
});

describe('pairs of a management record', () => {
  test('item 14: names with and without values, known or not', () => {
    const content = bytes`0e 00 ${'FCGI_MAX_CONNS'} 07 03 ${'UNKNOWNabc'}`;
    assert.deepEqual(
      [...decodeNameValues(content)],
      [
        ['FCGI_MAX_CONNS', ''],
        ['UNKNOWN', 'abc'],
      ],
    );
  });

  test('item 14: no names give no pairs', () => {
    assert.equal(decodeNameValues(Buffer.alloc(0)).size, 0);
  });

  test('a cut or a long one is refused', () => {
    assert.throws(() => decodeNameValues(bytes`0e 00 ${'FCGI'}`), { code: 'E_PARAMS_MALFORMED' });
    const tooLong = Buffer.alloc(LIMITS.getValuesMaxBytes + 1);
    assert.throws(() => decodeNameValues(tooLong), { code: 'E_PARAMS_TOO_LARGE' });
  });
});

test('a stream that is only announced costs next to nothing', () => {
  const before = process.memoryUsage().heapUsed;
  const decoders = Array.from({ length: 10_000 }, () => new ParamsDecoder());
  const eachBytes = (process.memoryUsage().heapUsed - before) / decoders.length;
  assert.ok(eachBytes < 512, `${eachBytes.toFixed(0)} bytes each`);
});
