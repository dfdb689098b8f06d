// Durations and sizes: what is read, what is refused.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDuration, formatSize, parseDuration, parseSize } from '../../../src/config/units.js';

test('durations are read with each of their units', () => {
  assert.equal(parseDuration('250ms'), 250);
  assert.equal(parseDuration('30s'), 30_000);
  assert.equal(parseDuration('5m'), 300_000);
  assert.equal(parseDuration('1h'), 3_600_000);
  assert.equal(parseDuration('10d'), 864_000_000);
  assert.equal(parseDuration('0s'), 0);
});

test('sizes are read with each of their units, and "0" without one', () => {
  assert.equal(parseSize('0'), 0);
  assert.equal(parseSize('512B'), 512);
  assert.equal(parseSize('64KiB'), 65_536);
  assert.equal(parseSize('16MiB'), 16_777_216);
  assert.equal(parseSize('4GiB'), 4_294_967_296);
  assert.equal(parseSize('1TiB'), 1_099_511_627_776);
});

test('a number without a unit is no duration, and except for 0 no size', () => {
  for (const text of ['30', '0', '', ' ', 's', '1.5s', '-1s', '+1s', '1 s', ' 1s', '1s ', '1e3s']) {
    assert.equal(parseDuration(text), undefined, text);
  }
  for (const text of ['1', '00', '', 'B', '1.5MiB', '-1B', '1 MiB', '0x10B', '1MiB\n']) {
    assert.equal(parseSize(text), undefined, text);
  }
});

test('units are taken as they are written: small differences would be large mistakes', () => {
  for (const text of ['1M', '1MB', '1mib', '1K', '1kB', '1GB']) {
    assert.equal(parseSize(text), undefined, text);
  }
  for (const text of ['1S', '1sec', '1min', '1D', '1H', '1us']) {
    assert.equal(parseDuration(text), undefined, text);
  }
});

test('what cannot be held exactly is refused instead of rounded', () => {
  assert.equal(parseSize('8191TiB'), 8_191 * 2 ** 40);
  assert.equal(parseSize('8192TiB'), undefined);
  assert.equal(parseDuration('999999999999999h'), undefined);
});

test('numbers are written with the largest unit that fits them', () => {
  assert.equal(formatDuration(90_000), '90s');
  assert.equal(formatDuration(300_000), '5m');
  assert.equal(formatDuration(90_000_000), '25h');
  assert.equal(formatDuration(864_000_000), '10d');
  assert.equal(formatDuration(1), '1ms');
  assert.equal(formatDuration(0), '0ms');
  assert.equal(formatSize(0), '0');
  assert.equal(formatSize(1_536), '1536B');
  assert.equal(formatSize(65_536), '64KiB');
});
