// Virtual hosts by root's links, and what the shipped configuration reads in an application's own files before it serves others.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { noApache, SHIPPED_VHOSTS } from '../../support/apache.js';
import { ApacheStage } from '../../support/apache-stage.js';

const SECRET = 'SECRET-SOURCE';

const HOSTS = `
<VirtualHost *:\${PORT}>
    ServerName localhost
</VirtualHost>
<VirtualHost *:\${PORT}>
    ServerName plain.test
    ServerAlias *.plain.test
    UseCanonicalName Off
    VirtualDocumentRoot "\${USHERD_VHOSTS}/%0"
</VirtualHost>
${readFileSync(SHIPPED_VHOSTS, 'utf8').replace('*:80>', '*:${PORT}>')}
`;

describe('who serves what, by Apache', { skip: noApache }, () => {
  let stage: ApacheStage;
  before(async () => {
    stage = await ApacheStage.start(HOSTS);
    stage.write('alice/apps/blog/index.php', SECRET);
    stage.write('alice/apps/blog/style.css', 'css of blog');
    stage.write('alice/apps/shop/public/index.php', SECRET);
    stage.write('alice/apps/shop/public/style.css', 'css of shop');
    stage.write('alice/apps/shop/config.yml', SECRET);
    stage.write('bob/apps/api/app.py', SECRET);
    stage.link('blog.test', 'alice/apps/blog');
    stage.link('shop.test', 'alice/apps/shop');
    stage.link('api.test', 'bob/apps/api');
    stage.link('a.plain.test', 'alice/apps/blog');
  });
  after(() => stage.stop());

  test('a link is a host, with its files, its index and its own addresses', async () => {
    assert.equal((await stage.fetch('/style.css', 'blog.test')).text, 'css of blog');
    assert.equal((await stage.fetch('/', 'blog.test')).script, 'vhosts/blog.test/index.php');
    assert.equal((await stage.fetch('/a/b', 'blog.test')).script, 'vhosts/blog.test/a/b');
    assert.equal((await stage.fetch('/x', 'api.test')).script, 'vhosts/api.test/x');
  });

  test('with public/ the host shows that and nothing else', async () => {
    assert.equal((await stage.fetch('/style.css', 'shop.test')).text, 'css of shop');
    assert.equal((await stage.fetch('/', 'shop.test')).script, 'vhosts/shop.test/public/index.php');
    const { text, script } = await stage.fetch('/config.yml', 'shop.test');
    assert.doesNotMatch(text, new RegExp(SECRET));
    assert.equal(script, 'vhosts/shop.test/public/config.yml');
  });

  test('a new link answers at the next request, and one that is gone is for usherd to refuse', async () => {
    assert.equal((await stage.fetch('/', 'new.test')).script, 'vhosts/new.test/');
    stage.link('new.test', 'alice/apps/blog');
    assert.equal((await stage.fetch('/style.css', 'new.test')).text, 'css of blog');
  });

  test('case, a port and a dot at the end of the host make no difference', async () => {
    for (const host of ['BLOG.test', 'blog.test:8080', 'blog.test.']) {
      assert.equal((await stage.fetch('/style.css', host)).text, 'css of blog', host);
    }
  });

  test('no host leads out of the directory of links', async () => {
    for (const host of ['..', '.', '-', '../alice', 'alice%2fapps', '_']) {
      const { text, script } = await stage.fetch('/apps/blog/style.css', host);
      assert.doesNotMatch(text, /css of/, host);
      assert.ok(script === undefined || script.startsWith('vhosts/-/'), `${host}: ${script}`);
    }
  });

  test('users are at /~USER in these hosts, too', async () => {
    assert.equal(
      (await stage.fetch('/~alice/apps/blog/style.css', 'shop.test')).text,
      'css of blog',
    );
  });

  test('VirtualDocumentRoot does as well, for applications without public/', async () => {
    assert.equal((await stage.fetch('/style.css', 'a.plain.test')).text, 'css of blog');
    assert.equal((await stage.fetch('/', 'a.plain.test')).script, 'vhosts/a.plain.test/index.php');
    assert.equal((await stage.fetch('/x/y', 'a.plain.test')).script, 'vhosts/a.plain.test/x/y');
  });

  const isPublic = async (manifest: string, mode = 0o644): Promise<boolean> => {
    stage.write('alice/apps/told/usherd.toml', manifest, mode);
    stage.write('alice/apps/told/index.php', SECRET);
    stage.write('alice/apps/told/style.css', 'css');
    const { text, script } = await stage.fetch('/~alice/apps/told/style.css');
    const settings = await stage.fetch('/~alice/apps/told/usherd.toml');
    assert.notEqual(settings.script, undefined, 'the manifest itself is never served');
    return text === 'css' && script === undefined;
  };

  test('a manifest that names no program hides no file', async () => {
    const fine = [
      '',
      '[php]\nmemory_limit = "64M"',
      'runtime = "php"',
      "runtime='cgi'",
      'front_controller = "doku.php"\nmode = "development"\n[env]\nMY_COMMAND_X = "runtime"',
    ];
    for (const manifest of fine) assert.equal(await isPublic(manifest), true, manifest);
  });

  test('one that names a program hides all but public/, however it is written', async () => {
    const programs = [
      'runtime = "python"',
      'command = ["./serve"]',
      '\n\n  runtime="node"',
      '"runtime" = "ruby"',
      "'command' = ['./x']",
      'mode = "production"\r\ncommand=["./x"]\r\n',
      'runtime = "php83"',
      '# runtime = "python"',
    ];
    for (const manifest of programs) assert.equal(await isPublic(manifest), false, manifest);
  });

  test('one that Apache may not read counts as one that does', async (t) => {
    if (process.getuid?.() !== 0) {
      t.skip('needs root, so that Apache is somebody else');
      return;
    }
    assert.equal(await isPublic('', 0o600), false);
    assert.equal(await isPublic('', 0o644), true);
  });

  test('a directory whose .htaccess keeps everybody out is served by nobody', async () => {
    stage.write('alice/apps/wiki/index.php', SECRET);
    stage.write('alice/apps/wiki/data/.htaccess', 'order allow,deny\n  Deny from All\n');
    stage.write('alice/apps/wiki/data/pages/start.txt', SECRET);
    stage.write(
      'alice/apps/wiki/lib/a/b/.htaccess',
      '<IfModule x>\nRequire all denied\n</IfModule>',
    );
    stage.write('alice/apps/wiki/lib/a/b/list.txt', SECRET);
    stage.write('alice/apps/wiki/lib/a/style.css', 'css');
    stage.write('alice/apps/wiki/open/.htaccess', 'Options -Indexes\n');
    stage.write('alice/apps/wiki/open/style.css', 'css');
    for (const path of ['data/pages/start.txt', 'lib/a/b/list.txt']) {
      const { text, script } = await stage.fetch(`/~alice/apps/wiki/${path}`);
      assert.doesNotMatch(text, new RegExp(SECRET), path);
      assert.equal(script, `alice/apps/wiki/${path}`);
    }
    for (const path of ['lib/a/style.css', 'open/style.css']) {
      assert.equal((await stage.fetch(`/~alice/apps/wiki/${path}`)).text, 'css', path);
    }
  });

  test('a CGI program is an index, too', async () => {
    stage.write('alice/apps/git/index.cgi', SECRET, 0o755);
    const { script } = await stage.fetch('/~alice/apps/git/');
    assert.equal(script, 'alice/apps/git/index.cgi');
  });
});
