// A Django project from its own generator, on a virtual host: database, static files and first account are made as its user.
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { attributes, hiddenFields } from '../support/applications/browser.js';
import { OWNER, Site } from '../support/applications/site.js';
import { noApache } from '../support/apache.js';
import { shellAs } from '../support/as-uid.js';
import { needsRoot } from '../support/needs-root.js';

const noDjango = existsSync('/usr/bin/django-admin') ? false : 'django-admin is not installed';

/** What every guide to Django tells to add before it is served. */
const SETTINGS = `
ALLOWED_HOSTS = ['office.test']
DEBUG = False
STATIC_ROOT = BASE_DIR / 'public' / 'static'
STATIC_URL = '/static/'
`;

describe('a Django project', { skip: needsRoot || noApache || noDjango }, () => {
  let site: Site;

  const runAs = async (...command: readonly string[]): Promise<string> => {
    const { code, out } = await site.usherd.command('run-as', 'alice/office', '--', ...command);
    assert.equal(code, 0, out);
    return out;
  };

  before(async () => {
    site = await Site.start('office', (directory) => mkdirSync(directory, { recursive: true }));
    const manifest = '[env]\nDJANGO_SUPERUSER_PASSWORD = "of a test"\n';
    shellAs(OWNER.uid, `cd ${site.directory} && django-admin startproject office .`);
    site.usherd.write('alice/office', 'usherd.toml', manifest);
    appendFileSync(join(site.directory, 'office/settings.py'), SETTINGS);
    await runAs('python3', 'manage.py', 'migrate');
    await runAs('python3', 'manage.py', 'collectstatic', '--noinput');
    await runAs('chmod', '-R', 'o+rX', 'public'); // what is made with umask 027 the web server cannot read
    const account = ['--username', 'boss', '--email', 'boss@example.test'];
    await runAs('python3', 'manage.py', 'createsuperuser', '--noinput', ...account);
  });
  after(() => site.stop());

  test('what its commands made belongs to its owner', () => {
    for (const file of ['manage.py', 'db.sqlite3', 'public/static/admin/css/base.css']) {
      assert.equal(site.ownerOf(file), OWNER.uid, file);
    }
  });

  test('its administration sends a visitor to the log-in page, with all its styles', async () => {
    const page = await site.browser.get('/admin/');
    assert.equal(page.status, 200, page.text.slice(0, 500));
    assert.equal(page.path, '/admin/login/?next=/admin/');
    const needed = [
      ...attributes(page.text, /<link[^>]*rel="stylesheet"[^>]*href="([^"]+)"/g),
      ...attributes(page.text, /<script[^>]*src="([^"]+)"/g),
    ];
    assert.ok(needed.length >= 3, needed.join(' '));
    for (const path of needed) {
      const { status, type } = await site.browser.get(path);
      assert.equal(status, 200, path);
      assert.match(type, /^(?:text|application)\/(?:css|javascript)/, path);
    }
  });

  test('a log-in with its token leads in, a page is made and stays', async () => {
    const login = await site.browser.get('/admin/login/?next=/admin/');
    const form = { ...hiddenFields(login.text), username: 'boss', password: 'of a test' };
    const inside = await site.browser.post('/admin/login/?next=/admin/', form);
    assert.equal(inside.path, '/admin/');
    assert.match(inside.text, /Site administration/);
    const adding = await site.browser.get('/admin/auth/group/add/');
    const added = await site.browser.post('/admin/auth/group/add/', {
      ...hiddenFields(adding.text),
      name: 'Büro <1>',
    });
    assert.equal(added.path, '/admin/auth/group/', added.text.slice(0, 500));
    assert.match(added.text, /Büro &lt;1&gt;/);
  });

  test('a form without the token is refused by Django', async () => {
    const { status, text } = await site.browser.post('/admin/login/', { username: 'x' });
    assert.equal(status, 403);
    assert.match(text, /CSRF/);
  });

  test('a page that is not there is Django’s', async () => {
    const { status, text } = await site.browser.get('/nothing/here');
    assert.equal(status, 404);
    assert.match(text, /The requested resource was not found/);
  });

  test('neither settings nor database are sent out', async () => {
    for (const path of ['/office/settings.py', '/db.sqlite3', '/manage.py', '/usherd.toml']) {
      const { text, status } = await site.browser.get(path);
      assert.equal(status, 404, path);
      assert.doesNotMatch(text, /SECRET_KEY|SQLite format|DJANGO_SUPERUSER/);
    }
  });
});
