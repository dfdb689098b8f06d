// Whatever a tenant writes, a line of the log stays one line without anything that a terminal obeys.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LIMITS } from '../../../src/limits.js';
import { escapeLogBytes, LogLines } from '../../../src/router/log-text.js';

const bytes = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }).map((b) => Buffer.from(b)),
      fc.string({ unit: 'binary', maxLength: 20 }).map((s) => Buffer.from(s)),
      fc
        .constantFrom('\n', '\r\n', '\x1b[31m', '\u009b', '\u2028', '\u202e')
        .map((s) => Buffer.from(s)),
    ),
    { maxLength: 20 },
  )
  .map((parts) => Buffer.concat(parts));

test('no control character and no line end gets through, and the text is sound UTF-8', () => {
  fc.assert(
    fc.property(bytes, (raw) => {
      const text = escapeLogBytes(raw);
      assert.doesNotMatch(text, /[^\P{Cc}\t]|[\u2028\u2029\u202a-\u202e\u2066-\u2069]/u);
      assert.equal(Buffer.from(text).toString(), text);
      assert.ok(text.length <= raw.length * 4);
    }),
    { numRuns: 3_000 },
  );
});

test('plain text is the same before and after', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[ -~\t\u00a1-\u00ff\u4e00-\u4eff]*$/), (text) => {
      assert.equal(escapeLogBytes(Buffer.from(text)), text);
    }),
  );
});

test('any chunking of a stream gives the same lines', () => {
  const linesOf = (chunks: readonly Buffer[]): string[] => {
    const seen: string[] = [];
    const lines = new LogLines((line, isContinued) => {
      assert.ok(line.length <= LIMITS.logLineMaxBytes);
      seen.push(`${String(isContinued)} ${line.toString('latin1')}`);
    });
    chunks.forEach((chunk) => lines.push(chunk));
    lines.end();
    return seen;
  };
  const stretched = fc
    .tuple(bytes, fc.integer({ min: 1, max: 300 }), bytes)
    .map(([a, times, b]) => Buffer.concat([...Array.from({ length: times }, () => a), b]));
  fc.assert(
    fc.property(stretched, fc.array(fc.nat(20_000), { maxLength: 10 }), (raw, places) => {
      const cuts = places.map((p) => p % (raw.length + 1)).sort((a, b) => a - b);
      const chunks = [0, ...cuts].map((start, i) => raw.subarray(start, cuts[i] ?? raw.length));
      assert.deepEqual(linesOf(chunks), linesOf([raw]));
    }),
    { numRuns: 500 },
  );
});
