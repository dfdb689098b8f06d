import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FairQueue } from '../../../src/spawner/fair-queue.js';

const BOUNDS = { waitingMaxCount: 100, activeMaxCount: 4, activePerUserMaxCount: 2 };

describe('the fair queue', () => {
  it('takes turns between users, and keeps the order of each', () => {
    const queue = new FairQueue<string>({ ...BOUNDS, activeMaxCount: 9, activePerUserMaxCount: 9 });
    for (const item of ['a1', 'a2', 'a3', 'b1', 'c1', 'b2']) queue.push(item.slice(0, 1), item);
    const taken = Array.from({ length: 7 }, () => queue.take());
    assert.deepEqual(taken, ['a1', 'b1', 'c1', 'a2', 'b2', 'a3', undefined]);
  });

  it('lets no user take all the places, however many wait', () => {
    const queue = new FairQueue<string>(BOUNDS);
    for (let count = 0; count < 50; count += 1) queue.push('alice', `a${count}`);
    assert.deepEqual([queue.take(), queue.take(), queue.take()], ['a0', 'a1', undefined]);
    queue.push('bob', 'b0');
    assert.equal(queue.take(), 'b0');
    queue.done('alice');
    assert.equal(queue.take(), 'a2');
  });

  it('has so many places and no more', () => {
    const queue = new FairQueue<string>(BOUNDS);
    for (const user of ['a', 'b', 'c', 'd', 'e']) queue.push(user, user);
    assert.deepEqual(
      Array.from({ length: 5 }, () => queue.take()),
      ['a', 'b', 'c', 'd', undefined],
    );
    assert.deepEqual([queue.activeCount, queue.waitingCount], [4, 1]);
    queue.done('c');
    assert.equal(queue.take(), 'e');
  });

  it('is full at its bound, and empty after it was emptied', () => {
    const queue = new FairQueue<number>({ ...BOUNDS, waitingMaxCount: 2 });
    assert.deepEqual(
      [1, 2, 3].map((item) => queue.push('a', item)),
      [true, true, false],
    );
    assert.deepEqual(queue.empty(), [1, 2]);
    assert.equal(queue.take(), undefined);
    assert.equal(queue.push('a', 4), true);
  });
});
