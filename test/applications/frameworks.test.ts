// Sites of Flask, Mojolicious, Sinatra and Express, each on a virtual host of its own, visited as a browser does it.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { attributes, hiddenFields } from '../support/applications/browser.js';
import { FRAMEWORK_SITES } from '../support/applications/frameworks.js';
import { OWNER, Site } from '../support/applications/site.js';
import { noApache } from '../support/apache.js';
import { needsRoot } from '../support/needs-root.js';

const SECRET = 'SECRET-OF-THE-SITE';
const MANIFEST = `[env]\nSITE_SECRET = "${SECRET}-${'x'.repeat(64)}"\n`;

for (const { name, needs, files, styleSheet } of FRAMEWORK_SITES) {
  const missing = existsSync(needs) ? false : `${needs} is not there`;
  describe(`a site of ${name}`, { skip: needsRoot || noApache || missing }, () => {
    let site: Site;
    before(async () => {
      site = await Site.start(name, (directory) => {
        for (const [file, text] of Object.entries({ 'usherd.toml': MANIFEST, ...files })) {
          mkdirSync(dirname(join(directory, file)), { recursive: true });
          writeFileSync(join(directory, file), text);
        }
      });
    });
    after(() => site.stop());

    test('its address is its home page, with its style sheet', async () => {
      const page = await site.browser.get('/');
      assert.match(page.text, new RegExp(`<title>Home of ${name}</title>`), String(page.status));
      const sheets = attributes(page.text, /<link[^>]*href="([^"]+)"/g);
      assert.deepEqual(sheets, [styleSheet]);
      const sheet = await site.browser.get(styleSheet);
      assert.equal(sheet.status, 200);
      assert.match(sheet.type, /^text\/css/);
      assert.equal(sheet.text, files[`.${styleSheet}`.slice(2)] ?? files[`public${styleSheet}`]);
    });

    test('its own links lead to pages that have no file, of any characters', async () => {
      const { text } = await site.browser.get('/');
      const [link = ''] = attributes(text, /<a[^>]*href="([^"]+)"/g);
      assert.equal(link, '/greet/World');
      assert.match((await site.browser.get(link)).text, /Hello, World!/);
      const odd = await site.browser.get('/greet/J%C3%BCrgen%20%26%20Co.css');
      assert.match(odd.text, /Hello, Jürgen &(?:amp|#38|#x26); Co\.css!/, String(odd.status));
    });

    test('a form comes back to the home page, and the session remembers it', async () => {
      const fields = hiddenFields((await site.browser.get('/')).text);
      const page = await site.browser.post('/notes', { ...fields, text: 'a <note> for Jürgen' });
      assert.deepEqual([page.status, page.path], [200, '/']);
      assert.match(page.text, /<li>a &(?:lt|#60);note&(?:gt|#62); for Jürgen<\/li>/);
    });

    test('it runs as its owner and knows its host and its visitor', async () => {
      const { text, type } = await site.browser.get('/whoami');
      assert.match(type, /^application\/json/);
      const expected = { uid: OWNER.uid, host: `${name}.test`, address: '127.0.0.1' };
      assert.deepEqual(JSON.parse(text), expected);
    });

    test('what is not there is a page of its own', async () => {
      const page = await site.browser.get('/not/there');
      assert.equal(page.status, 404);
      const text = page.text.trim().replaceAll('&#x2F;', '/');
      assert.equal(text, `<p>No page /not/there in ${name}</p>`);
    });

    test('neither its sources nor its settings are sent out', async () => {
      for (const file of [...Object.keys(files), 'usherd.toml']) {
        if (`/${file}` === styleSheet || file === `public${styleSheet}`) continue;
        for (const path of [`/${file}`, `/x/../${file}`, `/${file}/x.css`]) {
          const { text } = await site.browser.get(path);
          assert.ok(!text.includes(SECRET) && text !== files[file], path);
        }
      }
    });
  });
}
