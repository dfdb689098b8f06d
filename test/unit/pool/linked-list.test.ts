import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LinkedList, ListNode } from '../../../src/pool/linked-list.js';

const nodes = () => ['a', 'b', 'c'].map((value) => new ListNode(value));

test('nodes stay in the order of appending, and appending again moves one to the end', () => {
  const list = new LinkedList<string>();
  const [a, b, c] = nodes();
  assert.ok(a && b && c);
  for (const node of [a, b, c]) list.append(node);
  list.append(a);
  assert.deepEqual([...list], ['b', 'c', 'a']);
  assert.deepEqual([list.first, list.second, list.last, list.length], ['b', 'c', 'a', 3]);
});

test('each place can be removed from, and an empty list is empty at both ends', () => {
  for (const order of [
    [0, 1, 2],
    [2, 1, 0],
    [1, 0, 2],
  ]) {
    const list = new LinkedList<string>();
    const all = nodes();
    for (const node of all) list.append(node);
    for (const index of order) {
      const node = all[index];
      assert.ok(node);
      list.remove(node);
      assert.equal([...list].length, list.length);
      assert.ok(![...list].includes(node.value));
    }
    assert.deepEqual([list.first, list.last, list.length], [undefined, undefined, 0]);
  }
});

test('a node moves from one list to another and is not removed from the wrong one', () => {
  const [one, two] = [new LinkedList<string>(), new LinkedList<string>()];
  const node = new ListNode('a');
  one.append(node);
  two.append(node);
  assert.deepEqual([one.length, two.length], [0, 1]);
  one.remove(node);
  assert.equal(two.length, 1);
});

test('the value just given may be removed while the list is read', () => {
  const list = new LinkedList<string>();
  const all = nodes();
  for (const node of all) list.append(node);
  const seen: string[] = [];
  for (const value of list) {
    seen.push(value);
    const node = all.find((one) => one.value === value);
    if (node !== undefined) list.remove(node);
  }
  assert.deepEqual(seen, ['a', 'b', 'c']);
  assert.equal(list.length, 0);
});
