// Durations and sizes for every number and every text.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatDuration, formatSize, parseDuration, parseSize } from '../../../src/config/units.js';

// Fifteen digits and a unit: what can be written can be read.
const amount = fc.integer({ min: 0, max: 999_999_999_999_999 });

test('what is written is read as the same number', () => {
  fc.assert(fc.property(amount, (ms) => parseDuration(formatDuration(ms)) === ms));
  fc.assert(fc.property(amount, (bytes) => parseSize(formatSize(bytes)) === bytes));
});

test('nobody could have written the same number with fewer digits', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10 ** 6 }),
      fc.constantFrom('ms', 's', 'm', 'h'),
      (number, unit) => {
        const text = `${number}${unit}`;
        const ms = parseDuration(text);
        const digits = (written: string): number => written.replace(/\D/g, '').length;
        return ms !== undefined && digits(formatDuration(ms)) <= digits(text);
      },
    ),
  );
});

test('any text gives an exact whole number or nothing', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.stringMatching(/^[0-9]{1,20}(ms|s|m|h|B|[KMGT]iB)?$/),
  );
  fc.assert(
    fc.property(text, (written) => {
      for (const number of [parseDuration(written), parseSize(written)]) {
        assert.ok(number === undefined || (Number.isSafeInteger(number) && number >= 0));
      }
    }),
  );
});
