// Paths below the directory of virtual hosts: one link is followed, and only to where an application can be.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HostTable } from '../../../src/router/host-table.js';
import { resolveApplication, Roots } from '../../../src/router/resolve.js';

const TARGETS = new Map([
  ['blog.test', '/srv/alice/apps/blog'],
  ['shop.test', '/srv/bob/apps/shop/public'],
  ['loop.test', '/srv/vhosts/blog.test'],
  ['out.test', '/etc'],
  ['user.test', '/srv/alice'],
  ['odd.test', '/srv/alice/apps/-x'],
]);
const roots = new Roots(['/srv/{user}/apps/{app}'], { directory: '/srv/vhosts', targets: TARGETS });

describe('a path below the directory of virtual hosts', () => {
  test('is one of the application that its link leads to', () => {
    const verdict = roots.match('/srv/vhosts/blog.test/x/y.php');
    assert.deepEqual(verdict, {
      user: 'alice',
      app: 'alice/blog',
      directory: '/srv/alice/apps/blog',
      rest: '/x/y.php',
    });
    assert.equal(roots.match('/srv/vhosts/shop.test/y')?.rest, '/public/y');
    assert.equal(roots.match('/srv/vhosts/blog.test')?.rest, '');
  });

  for (const path of [
    '/srv/vhosts/none.test/x',
    '/srv/vhosts/loop.test/x',
    '/srv/vhosts/out.test/passwd',
    '/srv/vhosts/user.test/apps',
    '/srv/vhosts/odd.test/x',
    '/srv/vhosts/apps/x',
    '/srv/vhosts/',
    '/srv/vhosts/constructor/x',
  ]) {
    test(`is no application: ${path}`, () => assert.equal(roots.judge(path), 'below'));
  }

  test('is mounted at the root of its host', () => {
    const params = new Map([
      ['SCRIPT_FILENAME', '/srv/vhosts/blog.test/nice'],
      ['SCRIPT_NAME', '/nice'],
      ['PATH_INFO', '/url'],
      ['REQUEST_URI', '/nice/url'],
    ]);
    const resolution = resolveApplication(params, roots);
    assert.ok(resolution.ok);
    assert.equal(resolution.directory, '/srv/alice/apps/blog');
    assert.deepEqual(resolution.url, { scriptName: '', path: '/nice/url' });
  });

  test('is an ordinary path where there are no virtual hosts', () => {
    assert.equal(
      new Roots(['/srv/{user}/apps/{app}']).match('/srv/vhosts/apps/x')?.app,
      'vhosts/x',
    );
  });
});

describe('the table of virtual hosts', () => {
  test('keeps what it knows until the supervisor that came back has told all', () => {
    const table = new HostTable();
    table.begin();
    table.set('a.test', '/a');
    table.set('b.test', '/b');
    table.settle();
    table.begin();
    table.set('b.test', '/c');
    assert.deepEqual([...table.targets.keys()], ['a.test', 'b.test']);
    table.settle();
    assert.deepEqual([...table.targets], [['b.test', '/c']]);
    table.set('b.test', '');
    assert.equal(table.targets.size, 0);
  });
});
