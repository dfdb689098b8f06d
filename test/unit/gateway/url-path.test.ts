import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTarget } from '../../../src/gateway/url-path.js';

const appOf = (target: string): unknown => {
  const result = parseTarget(target);
  return result.kind === 'app' ? [result.path.user, result.path.app, result.path.rest] : result;
};

test('a URL names user, application and the rest of the path', () => {
  assert.deepEqual(parseTarget('/~alice/apps/blog/x/y?q=1'), {
    kind: 'app',
    path: { user: 'alice', app: 'blog', prefix: '/~alice/apps/blog', rest: '/x/y' },
    query: 'q=1',
  });
});

test('the rest may be empty or a slash', () => {
  assert.deepEqual(appOf('/~alice/apps/blog'), ['alice', 'blog', '']);
  assert.deepEqual(appOf('/~alice/apps/blog/'), ['alice', 'blog', '/']);
});

test('escapes are decoded to bytes, once', () => {
  assert.deepEqual(appOf('/~alice/apps/blog/y%20z%C3%A9'), ['alice', 'blog', '/y z\u00c3\u00a9']);
  assert.deepEqual(appOf('/~alice/apps/blog/%2541'), ['alice', 'blog', '/%41']);
  assert.deepEqual(appOf('/%7Ealice/apps/blog/'), ['alice', 'blog', '/']);
});

test('the query is passed raw and cut at the first question mark', () => {
  const result = parseTarget('/~a/apps/b?x=%41?y');
  assert.equal(result.kind === 'app' && result.query, 'x=%41?y');
});

test('dot segments and doubled slashes are resolved before the application is looked for', () => {
  assert.deepEqual(appOf('/~alice//apps/./blog//a/../b/'), ['alice', 'blog', '/b/']);
  assert.deepEqual(appOf('/~alice/apps/blog/../../../~bob/apps/x/y'), ['bob', 'x', '/y']);
  assert.deepEqual(appOf('/~alice/apps/blog/%2e%2e/shop/'), ['alice', 'shop', '/']);
  assert.deepEqual(appOf('/~alice/apps/blog/a/..'), ['alice', 'blog', '/']);
});

test('a path above the top, a broken escape and a target that is no path are refused with 400', () => {
  for (const target of ['/../etc', '/~a/apps/b/%2', '/~a/apps/b/%zz', 'http://x/', '*', '']) {
    assert.deepEqual(parseTarget(target), { kind: 'refused', status: 400 }, target);
  }
});

test('an encoded slash or NUL, and everything outside of the applications, is 404', () => {
  for (const target of [
    '/~a/apps/b/x%2Fy',
    '/~a/apps/b/%00',
    '/~a',
    '/~A/apps/b/',
    '/favicon.ico',
  ]) {
    assert.deepEqual(parseTarget(target), { kind: 'refused', status: 404 }, target);
  }
});

test('the top is the listing', () => {
  for (const target of ['/', '/?x', '//', '/.', '/a/..']) {
    assert.deepEqual(parseTarget(target), { kind: 'listing' }, target);
  }
});
