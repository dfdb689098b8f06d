// Request ids of the web server's side: the smallest free one, within the bound.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { RequestIds } from '../../../src/fcgi-protocol/index.js';

test('request ids begin with 1, as 0 is for management records', () => {
  const ids = new RequestIds(3);
  assert.deepEqual([ids.take(), ids.take(), ids.take()], [1, 2, 3]);
});

test('no id is given out above the bound', () => {
  const ids = new RequestIds(2);
  ids.take();
  assert.equal(ids.take(), 2);
  assert.equal(ids.take(), undefined);
  assert.equal(ids.openCount, 2);
});

test('the smallest free id comes first, whatever the order of the ends', () => {
  const ids = new RequestIds(10);
  for (let i = 0; i < 5; i += 1) ids.take();
  for (const id of [4, 2, 5]) assert.equal(ids.release(id), true);
  assert.deepEqual([ids.take(), ids.take(), ids.take(), ids.take()], [2, 4, 5, 6]);
});

test('the second end of a request is told from the first', () => {
  const ids = new RequestIds(10);
  ids.take();
  assert.equal(ids.release(1), true);
  assert.equal(ids.release(1), false);
  assert.equal(ids.release(7), false);
  assert.equal(ids.openCount, 0);
});

test('item 12: all 65535 ids can be open, and no more', () => {
  const ids = new RequestIds(1_000_000);
  for (let id = 1; id <= 65_535; id += 1) assert.equal(ids.take(), id);
  assert.equal(ids.take(), undefined);
  ids.release(65_535);
  assert.equal(ids.take(), 65_535);
});
