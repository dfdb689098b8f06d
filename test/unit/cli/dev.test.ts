// `usherd dev` finds names for a directory, and knows which changes ask for a restart.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { devPlace } from '../../../src/cli/dev-place.js';
import { isSource } from '../../../src/cli/dev-watch.js';
import { isUsherdError } from '../../../src/errors.js';

test('the last component is the application, the nearest fitting one before it stands for a user', () => {
  assert.deepEqual(devPlace('/home/jane/blog'), {
    app: 'jane/blog',
    root: '/home/{user}/{app}',
    path: '/~jane/apps/blog/',
  });
  assert.deepEqual(devPlace('/home/jane/My Code/blog'), {
    app: 'jane/blog',
    root: '/home/{user}/My Code/{app}',
    path: '/~jane/apps/blog/',
  });
});

test('a directory whose names do not fit is refused with what they have to be', () => {
  for (const directory of ['/blog', '/srv/blog', '/home/jane/My Blog', '/home/Jane/blog', '/']) {
    assert.throws(
      () => devPlace(directory),
      (err) => isUsherdError(err) && err.code === 'E_USAGE',
      directory,
    );
  }
});

test('what tools and the application itself write is no change', () => {
  for (const name of ['app.py', 'public/index.php', '.env', 'lib/tmpl.js', 'templates/a.html']) {
    assert.equal(isSource(name), true, name);
  }
  for (const name of [
    ...['node_modules/x/index.js', '.git/index', 'venv/bin/python', '__pycache__/a.pyc', 'a.pyc'],
    ...['tmp/cache/x', 'sub/tmp/x', 'logs/out', 'app.log', 'app.py~', '.app.py.swp'],
  ]) {
    assert.equal(isSource(name), false, name);
  }
});
