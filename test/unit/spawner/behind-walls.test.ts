// How the end of a program behind walls is read from that of bubblewrap, and which process it is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { programBehindWalls, signalOf } from '../../../src/spawner/behind-walls.js';

test('128 and the number of a signal is that signal; everything else is a code', () => {
  assert.equal(signalOf(143), 'SIGTERM');
  assert.equal(signalOf(137), 'SIGKILL');
  assert.equal(signalOf(139), 'SIGSEGV');
  for (const code of [0, 1, 7, 127, 128, 200, 255])
    assert.equal(signalOf(code), null, String(code));
});

test('a process without such children stands for itself', () => {
  const nobody = 2 ** 22 + 1; // above the largest pid there can be
  assert.equal(programBehindWalls(nobody), nobody);
});
