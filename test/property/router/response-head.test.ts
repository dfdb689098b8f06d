// A head is the same in any chunking, and random bytes are at worst refused.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UsherdError } from '../../../src/errors.js';
import { headBlock, ResponseHeadParser } from '../../../src/router/response-head.js';

interface Outcome {
  readonly head?: string;
  readonly rest?: string;
  readonly error?: string;
}

/** What the parser makes of the chunks; bytes behind the head are the body's. */
function outcomeOf(chunks: readonly Buffer[]): Outcome {
  const parser = new ResponseHeadParser();
  try {
    for (const [index, chunk] of chunks.entries()) {
      if (!parser.push(chunk)) continue;
      const rest = Buffer.concat([parser.rest, ...chunks.slice(index + 1)]);
      return {
        head: headBlock(parser.head.lines, parser.head.contentLength).toString('latin1'),
        rest: rest.toString('latin1'),
      };
    }
  } catch (err) {
    assert.ok(err instanceof UsherdError);
    assert.equal(err.code, 'E_WORKER_PROTOCOL');
    return { error: err.code };
  }
  return {};
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [...new Set(places.map((p) => p % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...sorted].map((start, i) => bytes.subarray(start, sorted[i] ?? bytes.length));
}

const line = fc.oneof(
  fc.constantFrom(
    'Status: 404 Nope',
    'Status: 200',
    'Location: /x',
    'Content-Length: 5',
    'HTTP/1.1 202 Yo',
  ),
  fc.constantFrom(
    'X-Sendfile: /etc/passwd',
    'Content-Type: text/html',
    'A : b',
    ' fold',
    'nonsense',
    'A: b\rc',
  ),
  fc
    .tuple(fc.stringMatching(/^[A-Za-z-]{1,12}$/), fc.string({ maxLength: 30 }))
    .map(([n, v]) => `${n}: ${v}`),
);
const head = fc
  .tuple(
    fc.array(fc.tuple(line, fc.constantFrom('\n', '\r\n')), { maxLength: 8 }),
    fc.constantFrom('\n', '\r\n'),
    fc.string({ maxLength: 20 }),
  )
  .map(([lines, end, body]) =>
    Buffer.from(lines.map((l) => l.join('')).join('') + end + body, 'latin1'),
  );

test('any chunking of a head gives the same head, the same rest, or the same refusal', () => {
  fc.assert(
    fc.property(head, fc.array(fc.nat(400), { maxLength: 12 }), (bytes, places) => {
      assert.deepEqual(outcomeOf(cut(bytes, places)), outcomeOf([bytes]));
    }),
    { numRuns: 2_000 },
  );
});

test('a head cut at each of its bytes is the same head', () => {
  const bytes = Buffer.from('X-A: 1\r\nStatus: 404 Nope\nContent-Type: text/html\r\n\r\nbody');
  const whole = outcomeOf([bytes]);
  assert.ok(whole.head);
  for (let i = 0; i <= bytes.length; i += 1) assert.deepEqual(outcomeOf(cut(bytes, [i])), whole);
  assert.deepEqual(outcomeOf(Array.from(bytes, (byte) => Buffer.from([byte]))), whole);
});

test('random bytes are taken or refused, and never anything else (T83)', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }), (chunks) => {
      outcomeOf(chunks.map((c) => Buffer.from(c)));
    }),
    { numRuns: 2_000 },
  );
});

test('whatever is taken is written as clean lines that give the same head again', () => {
  fc.assert(
    fc.property(head, (bytes) => {
      const { head: text } = outcomeOf([bytes]);
      fc.pre(text !== undefined);
      assert.match(
        text,
        /^(?:location: [^\r\n\0]*\r\n)*Status: [2-5]\d\d [^\r\n]+\r\n(?:[!-9;-~]+: [^\r\n\0]*\r\n)*\r\n$/i,
      );
      assert.equal(outcomeOf([Buffer.from(text, 'latin1')]).head, text);
    }),
    { numRuns: 2_000 },
  );
});
