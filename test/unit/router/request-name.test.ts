// Which name of a request is taken over from outside.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { givenName } from '../../../src/router/request-name.js';

const nameOf = (params: Readonly<Record<string, string>>): string | undefined =>
  givenName(new Map(Object.entries(params)));

test('the header of the client or a proxy comes first, then that of mod_unique_id', () => {
  assert.equal(nameOf({ HTTP_X_REQUEST_ID: '0123-abcd', UNIQUE_ID: 'other-one' }), '0123-abcd');
  assert.equal(nameOf({ UNIQUE_ID: 'aS@nZ8CoAAEAAE-3qQ0AAAAA' }), 'aS@nZ8CoAAEAAE-3qQ0AAAAA');
  assert.equal(nameOf({ HTTP_X_REQUEST_ID: 'a b', UNIQUE_ID: 'other-one' }), 'other-one');
  assert.equal(nameOf({}), undefined);
});

test('a name is 8 to 128 characters that need no escaping anywhere', () => {
  assert.equal(nameOf({ HTTP_X_REQUEST_ID: 'x'.repeat(128) })?.length, 128);
  const bad = [
    '',
    'short-7',
    'x'.repeat(129),
    'a"b-cdefgh',
    'a\nb-cdefgh',
    'a b-cdefgh',
    '<b>-cdefgh',
  ];
  for (const name of [...bad, '-abcdefgh', '.abcdefgh', 'abcdefgh\u00e9']) {
    assert.equal(nameOf({ HTTP_X_REQUEST_ID: name }), undefined, name);
  }
});
