import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { printable } from '../../../src/spawner/printable.js';

describe('printable text', () => {
  it('holds no control, escape, line end or direction mark (T119)', () => {
    assert.equal(printable('a\u001b]0;x\u0007\r\n\u202eb\u0000é'), 'a?]0;x????b??');
  });

  it('is as long as it may be, and says when it was cut', () => {
    assert.equal(printable('x'.repeat(10), 10), 'x'.repeat(10));
    assert.equal(printable('x'.repeat(11), 10), 'xxxxxxx...');
  });
});
