// A PHP site as frameworks lay it out: one front controller in public/, routes without files, sources and settings beside it.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { attributes, hiddenFields } from '../support/applications/browser.js';
import { OWNER, Site } from '../support/applications/site.js';
import { noApache } from '../support/apache.js';
import { needsRoot } from '../support/needs-root.js';

const noPhp = existsSync('/usr/bin/php-cgi') ? false : 'php-cgi is not installed';
const SECRET = 'SECRET-SOURCE';

/** Routes by method and path, a session with a token against forged forms, a file as the store, errors as pages. */
const KERNEL = `<?php // ${SECRET}
namespace Site;
final class Kernel {
  private array $routes = [];
  public function on(string $method, string $pattern, callable $action): void { $this->routes[] = [$method, $pattern, $action]; }
  public function handle(): void {
    $path = rawurldecode(parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH));
    $allowed = [];
    foreach ($this->routes as [$method, $pattern, $action]) {
      if (!preg_match('#^' . $pattern . '$#u', $path, $found)) continue;
      if ($method === $_SERVER['REQUEST_METHOD']) { echo $action(...array_slice($found, 1)); return; }
      $allowed[] = $method;
    }
    http_response_code($allowed ? 405 : 404);
    if ($allowed) header('Allow: ' . implode(', ', $allowed));
    echo $allowed ? 'wrong method' : 'no such page: ' . htmlspecialchars($path);
  }
}
`;
const FRONT = `<?php // ${SECRET}
spl_autoload_register(fn ($name) => require dirname(__DIR__) . '/src/' . basename(strtr($name, '\\\\', '/')) . '.php');
session_start(); $_SESSION['token'] ??= bin2hex(random_bytes(8));
$store = dirname(__DIR__) . '/storage/notes.json';
$notes = fn () => json_decode(@file_get_contents($store) ?: '[]', true);
$app = new Site\\Kernel();
$app->on('GET', '/', fn () => '<title>Home</title><link rel="stylesheet" href="/assets/site.css">'
  . '<form method="post" action="/notes"><input type="hidden" name="token" value="' . $_SESSION['token'] . '"><input name="text"></form>'
  . implode('', array_map(fn ($note) => '<li>' . htmlspecialchars($note) . '</li>', $notes())));
$app->on('GET', '/hello/([^/]+)', fn ($name) => 'Hello, ' . htmlspecialchars($name) . '!');
$app->on('GET', '/files/(.+)', fn ($path) => "path $path");
$app->on('POST', '/notes', function () use ($store, $notes) {
  if (!hash_equals($_SESSION['token'], $_POST['token'] ?? '')) { http_response_code(403); return 'forged'; }
  file_put_contents($store, json_encode([...$notes(), $_POST['text']])); header('Location: /', true, 303); return '';
});
$app->on('GET', '/api/env', function () { header('Content-Type: application/json');
  return json_encode(['env' => getenv('APP_ENV'), 'uid' => posix_geteuid(), 'memory' => ini_get('memory_limit')]); });
$app->on('GET', '/broken', fn () => throw new RuntimeException('thrown by the site'));
$app->handle();
`;

const FILES: Readonly<Record<string, string>> = {
  'public/index.php': FRONT,
  'public/assets/site.css': 'body { color: navy }',
  'public/robots.txt': 'User-agent: *\n',
  'src/Kernel.php': KERNEL,
  'config/app.php': `<?php return ['key' => '${SECRET}'];`,
  'composer.json': `{"name": "${SECRET}/site"}`,
  '.env': `APP_KEY=${SECRET}\n`,
  'storage/.gitignore': '*\n',
  'usherd.toml': '[env]\nAPP_ENV = "testing"\n[php]\nmemory_limit = "48M"\n',
};

describe('a site of a PHP framework', { skip: needsRoot || noApache || noPhp }, () => {
  let site: Site;
  before(async () => {
    site = await Site.start('shop', (directory) => {
      for (const [name, text] of Object.entries(FILES)) {
        mkdirSync(dirname(join(directory, name)), { recursive: true });
        writeFileSync(join(directory, name), text, { mode: name === '.env' ? 0o600 : 0o644 });
      }
    });
  });
  after(() => site.stop());

  test('its address is its home page, with its style sheet', async () => {
    const page = await site.browser.get('/');
    assert.match(page.text, /<title>Home<\/title>/);
    for (const path of attributes(page.text, /<link[^>]*href="([^"]+)"/g)) {
      const { status, type } = await site.browser.get(path);
      assert.deepEqual([status, type], [200, 'text/css'], path);
    }
    assert.equal((await site.browser.get('/robots.txt')).text, 'User-agent: *\n');
  });

  test('routes have no file, and take any character', async () => {
    assert.equal((await site.browser.get('/hello/World')).text, 'Hello, World!');
    assert.equal(
      (await site.browser.get('/hello/J%C3%BCrgen%20%26%20Co')).text,
      'Hello, Jürgen &amp; Co!',
    );
    assert.equal((await site.browser.get('/files/a/b.c/d.css?x=1')).text, 'path a/b.c/d.css');
    assert.equal((await site.browser.get('/index.php')).text, 'no such page: /index.php');
  });

  test('errors are the site’s own pages', async () => {
    const missing = await site.browser.get('/not/there');
    assert.deepEqual([missing.status, missing.text], [404, 'no such page: /not/there']);
    const method = await site.browser.post('/hello/World', {});
    assert.deepEqual([method.status, method.header('allow')], [405, 'GET']);
    const broken = await site.browser.get('/broken');
    assert.equal(broken.status, 500);
    assert.doesNotMatch(broken.text, /thrown by the site/, 'not outside of development');
  });

  test('a form with a session writes a file of the owner', async () => {
    const fields = hiddenFields((await site.browser.get('/')).text);
    assert.equal((await site.browser.post('/notes', { text: 'x', token: 'no' })).status, 403);
    const after = await site.browser.post('/notes', { ...fields, text: 'a <note>' });
    assert.deepEqual([after.status, after.path], [200, '/']);
    assert.match(after.text, /<li>a &lt;note&gt;<\/li>/);
    assert.equal(site.ownerOf('storage/notes.json'), OWNER.uid);
  });

  test('it runs as its owner with the settings of its manifest', async () => {
    const { text, type } = await site.browser.get('/api/env');
    assert.equal(type, 'application/json');
    assert.deepEqual(JSON.parse(text), { env: 'testing', uid: OWNER.uid, memory: '48M' });
  });

  test('nothing beside public/ is sent out, and no source', async () => {
    for (const name of Object.keys(FILES)) {
      for (const path of [`/${name}`, `/../${name}`, `/assets/../../${name}`, `/${name}/x.css`]) {
        const { text } = await site.browser.get(path);
        assert.doesNotMatch(text, new RegExp(`${SECRET}|APP_ENV`), path);
      }
    }
  });
});
