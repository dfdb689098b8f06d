// Whose a request is: what is refused, and how a root is compared.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsherdError } from '../../../src/errors.js';
import { resolveApplication, Roots } from '../../../src/router/resolve.js';
import { paramsOf, ROOTS } from './forms.js';

const verdict = (file: string, more: Readonly<Record<string, string>> = {}): string => {
  const found = resolveApplication(paramsOf({ SCRIPT_FILENAME: file, ...more }), ROOTS);
  return found.ok ? `${found.app}${found.rest}` : found.code;
};

test('a path below a root names its user and application', () => {
  const found = resolveApplication(
    paramsOf({ SCRIPT_FILENAME: '/srv/alice/apps/blog/x', SCRIPT_NAME: '/x' }),
    ROOTS,
  );
  assert.deepEqual(found, {
    ok: true,
    user: 'alice',
    app: 'alice/blog',
    directory: '/srv/alice/apps/blog',
    rest: '/x',
    publicRest: '/x',
    url: { scriptName: '', path: '/x' },
  });
});

test('roots are compared per component, not as text (T67)', () => {
  assert.equal(verdict('/srv/alice/apps_evil/blog'), 'E_PATH_REFUSED');
  assert.equal(verdict('/srvx/alice/apps/blog'), 'E_PATH_REFUSED');
  assert.equal(verdict('/home/alice/public_html2/blog'), 'E_PATH_REFUSED');
  assert.equal(verdict('/srv/alice/apps/x_evil'), 'alice/x_evil');
});

for (const file of [
  'srv/alice/apps/blog',
  '/srv/alice/apps/../../bob/apps/x',
  '/srv/alice/apps/blog/.',
  '/srv/alice/apps/blog/./x',
  '/srv/alice/apps/blog/..',
  'proxy:fcgi://h/../srv/alice/apps/blog',
  '/srv/alice/apps/blog/a\0.php',
  '/srv/alice/apps/blog/a\n.php',
  '/srv/alice/apps/blog/\x7f',
  '/srv/alice/apps/blog/%2e%2e/x',
  '/srv/alice/apps/blog/a%2Fb',
  '/etc/passwd',
  '/srv',
  '/',
  'proxy:fcgi://h',
  'proxy:unix:/srv/alice/apps/blog',
]) {
  test(`refuses ${JSON.stringify(file)} (T67)`, () =>
    assert.equal(verdict(file), 'E_PATH_REFUSED'));
}

for (const name of [
  '..x',
  '-rf',
  'a b',
  '\xfc',
  'x'.repeat(65),
  '%s',
  'Blog',
  '.hidden',
  'blog ',
]) {
  test(`no application can be called ${JSON.stringify(name)} (T15)`, () => {
    assert.equal(verdict(`/srv/alice/apps/${name}/x`), 'E_APP_UNKNOWN');
  });
}

test('names at the length limit exist, one longer do not', () => {
  assert.equal(verdict(`/srv/alice/apps/${'x'.repeat(64)}`), `alice/${'x'.repeat(64)}`);
  assert.equal(verdict(`/srv/${'u'.repeat(32)}/apps/x`), `${'u'.repeat(32)}/x`);
  assert.equal(verdict(`/srv/${'u'.repeat(33)}/apps/x`), 'E_APP_UNKNOWN');
  assert.equal(verdict(`/srv/${'u'.repeat(300)}/apps/x`), 'E_APP_UNKNOWN');
});

test('a path that ends above the application names none', () => {
  assert.equal(verdict('/srv/alice/apps'), 'E_APP_UNKNOWN');
  assert.equal(verdict('/srv/alice/apps/'), 'E_APP_UNKNOWN');
  assert.equal(verdict('/srv/alice'), 'E_APP_UNKNOWN');
});

test('path info cannot climb out of the application', () => {
  assert.equal(verdict('/srv/alice/apps/blog', { PATH_INFO: '/../../../bob' }), 'E_PATH_REFUSED');
});

test('path info begins with a slash, or it would lengthen a name', () => {
  assert.equal(verdict('/srv/alice/apps/blog', { PATH_INFO: '2' }), 'E_PATH_REFUSED');
});

test('an escape that is left in path info was escaped twice and is refused', () => {
  assert.equal(verdict('/srv/alice/apps/blog', { PATH_INFO: '/%2e%2e/x' }), 'E_PATH_REFUSED');
});

test('a document root does not help a SCRIPT_FILENAME outside of the roots', () => {
  assert.equal(verdict('/var/www/x', { DOCUMENT_ROOT: '/srv/alice/apps/blog' }), 'E_PATH_REFUSED');
});

test('without any path the request is refused', () => {
  const found = resolveApplication(new Map(), ROOTS);
  assert.equal(found.ok ? '' : found.code, 'E_PATH_REFUSED');
});

test('a detail never repeats what was sent', () => {
  const found = resolveApplication(paramsOf({ SCRIPT_FILENAME: '/etc/SECRET' }), ROOTS);
  assert.equal(found.ok, false);
  assert.doesNotMatch(JSON.stringify(found), /SECRET/);
});

test('the first root that fits decides', () => {
  const roots = new Roots(['/srv/{user}/apps/{app}', '/srv/{app}/apps/{user}']);
  assert.equal(roots.match('/srv/a/apps/b')?.app, 'a/b');
});

test('a root may name the application before the user', () => {
  const roots = new Roots(['/www/{app}/{user}']);
  assert.deepEqual(roots.match('/www/blog/alice/x'), {
    user: 'alice',
    app: 'alice/blog',
    directory: '/www/blog/alice',
    rest: '/x',
  });
});

for (const pattern of [
  'srv/{user}/{app}',
  '/srv/{user}',
  '/srv/{app}',
  '/srv/{user}/{user}/{app}',
  '/srv/x{user}/{app}',
  '/srv//{user}/{app}',
  '/srv/../{user}/{app}',
  '/srv/{user}/{app}/',
]) {
  test(`the pattern ${pattern} is refused`, () => {
    assert.throws(
      () => new Roots([pattern]),
      (err) => err instanceof UsherdError && err.code === 'E_CONFIG_INVALID',
    );
  });
}
