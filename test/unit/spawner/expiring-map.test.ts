import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ExpiringMap } from '../../../src/spawner/expiring-map.js';

describe('the expiring map', () => {
  it('forgets each entry at its own time', () => {
    const map = new ExpiringMap<string>(10);
    map.set('a', 'x', 100);
    assert.deepEqual(map.get('a', 40), { value: 'x', leftMs: 60 });
    assert.equal(map.get('a', 100), undefined);
    assert.equal(map.size, 0);
  });

  it('forgets the oldest when it is full, and setting anew makes young', () => {
    const map = new ExpiringMap<number>(2);
    map.set('a', 1, 100);
    map.set('b', 2, 100);
    map.set('a', 3, 100);
    map.set('c', 4, 100);
    assert.equal(map.get('b', 0), undefined);
    assert.equal(map.get('a', 0)?.value, 3);
    assert.equal(map.size, 2);
  });
});
