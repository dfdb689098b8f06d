// DokuWiki as a visitor and an author use it: a PHP application that keeps files in its own directory.
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { attributes, hiddenFields } from '../support/applications/browser.js';
import { layDokuwiki } from '../support/applications/dokuwiki.js';
import { OWNER, Site } from '../support/applications/site.js';
import { noApache } from '../support/apache.js';
import { needsRoot } from '../support/needs-root.js';

const noWiki = existsSync('/usr/share/dokuwiki/doku.php') ? false : 'dokuwiki is not installed';

describe('DokuWiki', { skip: needsRoot || noApache || noWiki }, () => {
  let site: Site;
  before(async () => {
    site = await Site.start('wiki', (directory) => {
      layDokuwiki(directory, '====== Welcome ======\n\nThis is [[another|another page]].\n');
      const manifest = 'front_controller = "doku.php"\n[php]\nmemory_limit = "96M"\n';
      writeFileSync(join(directory, 'usherd.toml'), manifest);
    });
  });
  after(() => site.stop());

  test('its address leads to its start page', async () => {
    const page = await site.browser.get('/');
    assert.equal(page.status, 200, page.text.slice(0, 300));
    assert.match(page.text, /<h1[^>]*>Welcome<\/h1>/);
    assert.match(page.text, /This is <a href="\/doku\.php\/another"/);
  });

  test('everything that the start page needs is there: styles, scripts, pictures', async () => {
    const { text } = await site.browser.get('/');
    const needed = [
      ...attributes(text, /<link[^>]*rel="stylesheet"[^>]*href="([^"]+)"/g),
      ...attributes(text, /<script[^>]*src="([^"]+)"/g),
      ...attributes(text, /<img[^>]*src="([^"]+)"/g),
    ].filter((path) => path.startsWith('/'));
    assert.ok(needed.length >= 4, needed.join(' '));
    for (const path of needed) {
      const { status, type, text: body } = await site.browser.get(path);
      assert.equal(status, 200, path);
      assert.match(type, /^(?:text\/css|application\/javascript|text\/javascript|image\/)/, path);
      assert.ok(body.length > 0 || path.includes('taskrunner'), path);
    }
  });

  test('pages have addresses without a query, with and without the script in them', async () => {
    for (const path of ['/doku.php/start', '/start', '/start?do=show']) {
      const page = await site.browser.get(path);
      assert.equal(page.status, 200, path);
      assert.match(page.text, /<h1[^>]*>Welcome<\/h1>/, path);
    }
    const missing = await site.browser.get('/doku.php/not:there');
    assert.equal(missing.status, 404);
    assert.match(missing.text, /This topic does not exist yet/);
  });

  test('a page is written with the form of the wiki, and belongs to the owner of the application', async () => {
    const form = await site.browser.get('/doku.php/another?do=edit');
    assert.equal(form.status, 200);
    const fields = { ...hiddenFields(form.text), wikitext: '====== Another ======\n\nWordword.' };
    const saved = await site.browser.post('/doku.php/another', {
      ...fields,
      'do[save]': '1',
      summary: 'new',
    });
    assert.equal(saved.status, 200);
    assert.match(saved.text, /Wordword/);
    assert.equal(site.ownerOf('data/pages/another.txt'), OWNER.uid);
    const later = await site.browser.get('/doku.php/another');
    assert.match(later.text, /<h1[^>]*>Another<\/h1>/);
  });

  test('nothing but the wiki itself shows what is in its directory', async () => {
    for (const path of [
      '/data/pages/start.txt',
      '/data/meta/start.meta',
      '/conf/local.php',
      '/conf/users.auth.php.dist',
      '/conf/mime.conf',
      '/inc/init.php',
      '/inc/preload.php',
      '/bin/dwpage.php',
      '/vendor/composer/installed.json',
      '/usherd.toml',
      '/.htaccess',
      '/data/.htaccess',
    ]) {
      const { text } = await site.browser.get(path);
      assert.doesNotMatch(text, /======|\$conf|DOKU_CONF|memory_limit|\bdenied\b|"packages"/, path);
    }
  });
});
