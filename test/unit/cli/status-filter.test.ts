// `usherd status alice`, `usherd status alice/blog`.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filterStatus, isOf, whoseOf } from '../../../src/cli/status-filter.js';
import { isUsherdError } from '../../../src/errors.js';

const STATUS = {
  version: '1',
  suspended: ['alice', 'bob'],
  apps: [{ app: 'alice/blog' }, { app: 'alice/shop' }, { app: 'alicex/blog' }, { app: 'bob/blog' }],
  failures: [{ app: 'bob/blog' }, { app: 'alice/shop' }, { app: '' }],
};

test('a user or an application, and nothing else, can be asked for', () => {
  assert.equal(whoseOf(undefined), undefined);
  assert.equal(whoseOf('alice'), 'alice');
  assert.equal(whoseOf('alice/blog'), 'alice/blog');
  for (const text of ['Alice', 'alice/', '/blog', 'a/b/c', 'alice/../bob', 'al ice']) {
    assert.throws(
      () => whoseOf(text),
      (err) => isUsherdError(err) && err.code === 'E_USAGE',
    );
  }
});

test('a user has the applications of exactly this name', () => {
  const { apps, suspended, failures, version } = filterStatus(STATUS, 'alice');
  assert.deepEqual(apps, [{ app: 'alice/blog' }, { app: 'alice/shop' }]);
  assert.deepEqual([suspended, failures, version], [['alice'], [{ app: 'alice/shop' }], '1']);
});

test('an application is one row, and its user may be suspended', () => {
  const { apps, suspended, failures } = filterStatus(STATUS, 'bob/blog');
  assert.deepEqual(
    [apps, suspended, failures],
    [[{ app: 'bob/blog' }], ['bob'], [{ app: 'bob/blog' }]],
  );
  assert.equal(isOf('bob/blog', 'bob/blog2'), false);
});

test('without a name nothing is left out', () => {
  assert.equal(filterStatus(STATUS, undefined), STATUS);
});
