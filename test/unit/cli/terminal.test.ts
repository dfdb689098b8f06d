// Texts of tenants on the terminal of root.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { harmless } from '../../../src/cli/terminal.js';

test('a terminal is given no orders by a text', () => {
  const orders = [
    '\u001b]0;title\u0007',
    '\u001b[2J',
    '\u009b2J',
    '\r',
    '\b',
    '\0',
    '\u007f',
    '\u202e',
  ];
  for (const order of orders) {
    const shown = harmless(`before ${order} after`);
    assert.match(shown, /^before \?/);
    assert.doesNotMatch(shown, /[\u0000-\u001f\u007f-\u009f\u202e]/);
  }
});

test('lines, tabs, bold and letters of any language stay', () => {
  const text = '\u001b[1mbold\u001b[0m\tGrüße, 世界 … “–”\nnext';
  assert.equal(harmless(text), text);
});
