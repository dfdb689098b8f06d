import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isUsherdError } from '../../../src/errors.js';
import { HeadCollector, type ResponseHead } from '../../../src/gateway/response-head.js';
import { LIMITS } from '../../../src/limits.js';

const parse = (text: string): ResponseHead | undefined =>
  new HeadCollector().push(Buffer.from(text, 'latin1'));

const refused = (err: unknown): boolean => isUsherdError(err) && err.code === 'E_WORKER_PROTOCOL';

test('a head has a status, its headers in order with repetitions, and the first of the body', () => {
  const head = parse('Status: 404 Nope\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\nbody');
  assert.equal(head?.status, 404);
  assert.deepEqual(head.headers, ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2']);
  assert.equal(head.body.toString(), 'body');
});

test('any splitting gives the same head', () => {
  const bytes = Buffer.from('Content-Type: text/plain\r\nX-A:  b \r\n\r\n');
  const collector = new HeadCollector();
  for (const [at, byte] of bytes.entries()) {
    const head = collector.push(Buffer.from([byte]));
    assert.equal(head !== undefined, at === bytes.length - 1);
    if (head !== undefined)
      assert.deepEqual(head.headers, ['Content-Type', 'text/plain', 'X-A', 'b']);
  }
});

test('bare line feeds end lines too', () => {
  assert.deepEqual(parse('X-A: 1\nX-B: 2\n\n')?.headers, ['X-A', '1', 'X-B', '2']);
});

test('a Location without a Status is a redirect, and anything else is 200', () => {
  assert.equal(parse('Location: /x\r\n\r\n')?.status, 302);
  assert.equal(parse('Location: /x\r\nStatus: 201\r\n\r\n')?.status, 201);
  assert.equal(parse('X-A: 1\r\n\r\n')?.status, 200);
});

test('headers about the connection to the browser are not taken from the answer', () => {
  assert.deepEqual(
    parse('Transfer-Encoding: chunked\r\nConnection: close\r\nX-A: 1\r\n\r\n')?.headers,
    ['X-A', '1'],
  );
});

test('a line without a name, a folded line and a status that HTTP does not have are refused', () => {
  for (const line of [
    'no colon',
    ' folded: 1',
    'a b: c',
    'Status: 99',
    'Status: 600',
    'Status: 101',
    'Status: x',
  ]) {
    assert.throws(() => parse(`X-A: 1\r\n${line}\r\n\r\n`), refused, line);
  }
});

test('a head at the limit is taken and one past it is refused, also before it is complete', () => {
  const lineOf = (bytes: number): string => `X: ${'a'.repeat(bytes - 3)}`;
  assert.equal(parse(`${lineOf(LIMITS.responseHeadMaxBytes)}\r\n\r\n`)?.status, 200);
  assert.throws(() => parse(`${lineOf(LIMITS.responseHeadMaxBytes + 1)}\r\n\r\n`), refused);
  assert.throws(() => parse(lineOf(LIMITS.responseHeadMaxBytes + 1)), refused);
});
