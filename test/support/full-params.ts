// Params of an exact size on the wire, in an exact number of pairs.
import assert from 'node:assert/strict';
import { pairs } from './wire-stage.js';

/** Name, one byte for its length, four for that of a value of 128 bytes and more. */
const OVERHEAD = 'HTTP_FILL000'.length + 5;

/** `params` with as many HTTP_FILL… as it takes. */
export function filledUp(
  params: ReadonlyMap<string, string>,
  total: number,
  count: number,
): Map<string, string> {
  const filled = new Map(params);
  const fills = count - params.size;
  const room = total - pairs(params).length - fills * OVERHEAD;
  const each = Math.floor(room / fills);
  for (let i = 0; i < fills; i += 1) {
    const bytes = i === 0 ? each + (room % fills) : each;
    filled.set(`HTTP_FILL${String(i).padStart(3, '0')}`, 'x'.repeat(bytes));
  }
  assert.equal(pairs(filled).length, total);
  assert.equal(filled.size, count);
  return filled;
}
