// Lines of tenants: cut, bounded, and safe to look at.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LIMITS } from '../../../src/limits.js';
import { escapeLogBytes, LogLines } from '../../../src/router/log-text.js';
import { TokenBucket } from '../../../src/router/token-bucket.js';

const MAX = LIMITS.logLineMaxBytes;
const escaped = (text: string): string => escapeLogBytes(Buffer.from(text, 'latin1'));

function linesOf(...chunks: readonly (string | Buffer)[]): string[] {
  const seen: string[] = [];
  const lines = new LogLines((line, isContinued) =>
    seen.push((isContinued ? '+' : '') + line.toString('latin1')),
  );
  for (const chunk of chunks) lines.push(Buffer.from(chunk as string, 'latin1'));
  lines.end();
  return seen;
}

describe('escaping', () => {
  const rows: readonly (readonly [string, string, string])[] = [
    ['plain text and TAB stay', 'a\tb ~ \\', 'a\tb ~ \\'],
    ['UTF-8 stays', 'caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80', 'caf\u00e9 \u20ac \u{1f600}'],
    ['an escape sequence', '\x1b[2J', '\\x1b[2J'],
    ['NUL, BEL, CR, LF, DEL', '\0\x07\r\n\x7f', '\\x00\\x07\\x0d\\x0a\\x7f'],
    ['C1 as UTF-8', '\xc2\x9b31m', '\\xc2\\x9b31m'],
    ['C1 as single bytes', '\x9b31m', '\\x9b31m'],
    ['a lone lead byte', 'a\xc3', 'a\\xc3'],
    ['broken bytes beside good ones', '\xff\xc3\xa9\xe2\x82', '\\xff\u00e9\\xe2\\x82'],
    ['an overlong slash', '\xc0\xaf', '\\xc0\\xaf'],
    ['a surrogate', '\xed\xa0\x80', '\\xed\\xa0\\x80'],
    ['what ends lines elsewhere', '\xe2\x80\xa8', '\\xe2\\x80\\xa8'],
    ['what turns the reading direction', '\xe2\x80\xae', '\\xe2\\x80\\xae'],
  ];
  for (const [what, raw, told] of rows) test(what, () => assert.equal(escaped(raw), told));
});

describe('lines', () => {
  test('are cut at LF, a CR before it goes', () => {
    assert.deepEqual(linesOf('a\nb\r\n\nc'), ['a', 'b', '', 'c']);
  });
  test('come together from any chunks', () => {
    assert.deepEqual(linesOf('a', 'b\nc', '', 'd', '\n'), ['ab', 'cd']);
  });
  test('at the bound are one, above it they go on marked', () => {
    assert.deepEqual(linesOf(`${'x'.repeat(MAX)}\n`), ['x'.repeat(MAX)]);
    assert.deepEqual(linesOf(`${'x'.repeat(MAX + 1)}\ny\n`), ['x'.repeat(MAX), '+x', 'y']);
    assert.deepEqual(linesOf('x'.repeat(2 * MAX)), ['x'.repeat(MAX), `+${'x'.repeat(MAX)}`]);
  });
  test('are not cut inside of a character', () => {
    const seen = linesOf(`${'x'.repeat(MAX - 1)}\xc3\xa9y\n`);
    assert.deepEqual(seen, ['x'.repeat(MAX - 1), '+\xc3\xa9y']);
  });
  test('of continuation bytes only are cut at the bound all the same', () => {
    assert.deepEqual(
      linesOf('\x80'.repeat(MAX + 5)).map((l) => l.length),
      [MAX, 6],
    );
  });
  test('go on after lost bytes with the next whole one', () => {
    const seen: string[] = [];
    const lines = new LogLines((line) => seen.push(line.toString()));
    lines.push(Buffer.from('begin'));
    lines.skip();
    lines.push(Buffer.from('end\nwhole\n'));
    assert.deepEqual(seen, ['whole']);
  });
});

describe('a rate', () => {
  test('allows the burst, then what time refills', () => {
    const bucket = new TokenBucket({ perS: 100, burst: 50 }, 1_000);
    assert.equal(bucket.take(50, 1_000), true);
    assert.equal(bucket.take(1, 1_000), false);
    assert.equal(bucket.take(11, 1_100), false);
    assert.equal(bucket.take(10, 1_100), true);
    assert.equal(bucket.take(51, 100_000), false);
    assert.equal(bucket.take(50, 100_000), true);
  });
  test('refills nothing when the clock goes backwards', () => {
    const bucket = new TokenBucket({ perS: 100, burst: 50 }, 1_000);
    assert.equal(bucket.take(50, 1_000), true);
    assert.equal(bucket.take(1, 0), false);
  });
});
