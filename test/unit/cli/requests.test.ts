// What `usherd requests` prints.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatRequests } from '../../../src/cli/requests.js';

const ROW = { app: 'alice/blog', request: 'a1b2-3', worker: '', line: 'GET /slow?n=1' };

test('each request is a line: since when, what it does, whose it is, its id and what was asked', () => {
  const text = formatRequests([
    { ...ROW, state: 'streaming', ageMs: 61_250 },
    { ...ROW, state: 'waiting', ageMs: 40 },
  ]);
  const [sum, , heading = '', first = '', second = ''] = text.split('\n');
  assert.equal(sum, '2 requests, 1 of them waiting for a worker');
  assert.match(heading, /^ *AGE {2}STATE +APPLICATION +REQUEST ID +REQUEST$/);
  assert.equal(first, '61.3s  running  alice/blog   a1b2-3      GET /slow?n=1');
  assert.equal(second, ' 0.0s  waiting  alice/blog   a1b2-3      GET /slow?n=1');
});

test('without requests there is one line', () => {
  assert.equal(formatRequests([]), '0 requests, 0 of them waiting for a worker');
});

test('nothing that a client sent reaches the terminal as a command to it', () => {
  const evil = '\u001b[31m\r\u202e';
  assert.match(
    formatRequests([{ app: evil, request: evil, line: evil, state: evil, ageMs: evil }]),
    /^[\x20-\x7e\n]*$/,
  );
});
