// conf.example/apache/usherd.conf through a real Apache: what it serves, what it passes on, and what nobody ever gets.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Apache, noApache } from '../../support/apache.js';
import { startParamsEcho, type FakeResponder } from '../../support/fake-responder.js';
import { scratchDirectory } from '../../support/scratch.js';

const SECRET = 'SECRET-SOURCE';

interface Seen {
  readonly status: number;
  readonly type: string | undefined;
  readonly location: string | undefined;
  readonly text: string;
  /** The params that the responder got; undefined if Apache answered itself. */
  readonly params: ReadonlyMap<string, string> | undefined;
}

const cleanUps: (() => unknown)[] = [];
let directory = '';
let apache: Apache;
let responder: FakeResponder;

function write(path: string, text: string): void {
  const file = join(directory, 'srv', path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

async function fetchPath(path: string, host = 'localhost'): Promise<Seen> {
  const count = responder.requests.length;
  const options = {
    host: '127.0.0.1',
    port: apache.port,
    path,
    headers: { Host: host },
    agent: false,
  };
  const [response] = (await once(get(options), 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return {
    status: response.statusCode ?? 0,
    type: response.headers['content-type'],
    location: response.headers.location,
    text: Buffer.concat(chunks).toString(),
    params: responder.requests[count]?.params,
  };
}

const scriptOf = ({ params }: Seen): string | undefined =>
  params?.get('SCRIPT_FILENAME')?.replace(join(directory, 'srv'), '');

const HOSTS = `
<VirtualHost *:\${PORT}>
    ServerName localhost
    DocumentRoot \${USHERD_ROOT}/nothing
    <FilesMatch "\\.php$">
        SetHandler application/x-httpd-php
    </FilesMatch>
</VirtualHost>
<VirtualHost *:\${PORT}>
    ServerName blog.test
    DocumentRoot \${USHERD_ROOT}/alice/apps/blog
</VirtualHost>
<VirtualHost *:\${PORT}>
    ServerName laravel.test
    DocumentRoot \${USHERD_ROOT}/alice/apps/laravel/public
</VirtualHost>
`;

describe('the generic configuration of Apache', { skip: noApache }, () => {
  before(async () => {
    directory = scratchDirectory({ after: (it) => void cleanUps.push(it as () => unknown) });
    chmodSync(directory, 0o755);
    const socketPath = join(directory, 'front.sock');
    responder = await startParamsEcho(socketPath);
    chmodSync(socketPath, 0o666);
    write('alice/apps/blog/index.php', SECRET);
    write('alice/apps/blog/style.css', 'css');
    write('alice/apps/blog/sub/page.php', SECRET);
    write('alice/apps/laravel/public/index.php', SECRET);
    write('alice/apps/laravel/public/style.css', 'css');
    write('alice/apps/laravel/composer.json', SECRET);
    write('alice/apps/flask/app.py', SECRET);
    write('alice/apps/flask/index.html', SECRET);
    write('alice/apps/flask/style.css', SECRET);
    write('alice/apps/flask/api/v1.py', SECRET);
    write('alice/apps/node/package.json', SECRET);
    write('alice/apps/node/public/index.html', '<p>static');
    write('alice/apps/site/index.html', '<p>hello');
    const root = join(directory, 'srv');
    apache = await Apache.start({
      directory: join(directory, 'apache'),
      socketPath,
      root,
      more: HOSTS,
    });
  });

  after(async () => {
    await apache.stop();
    await responder.close();
    for (const cleanUp of cleanUps) await cleanUp();
  });

  test('files of a PHP application come from Apache with their type', async () => {
    const seen = await fetchPath('/~alice/apps/blog/style.css');
    assert.deepEqual(
      [seen.status, seen.type, seen.text, seen.params],
      [200, 'text/css', 'css', undefined],
    );
  });

  test('a script goes to usherd, whatever handler the server has for its name', async () => {
    const seen = await fetchPath('/~alice/apps/blog/sub/page.php/a%20b?q=1');
    assert.equal(scriptOf(seen), '/alice/apps/blog/sub/page.php');
    assert.equal(seen.params?.get('SCRIPT_NAME'), '/~alice/apps/blog/sub/page.php');
    assert.equal(seen.params.get('PATH_INFO'), '/a b');
    assert.equal(seen.params.get('QUERY_STRING'), 'q=1');
  });

  test('the directory of a PHP application is its index.php', async () => {
    assert.equal(scriptOf(await fetchPath('/~alice/apps/blog/')), '/alice/apps/blog/index.php');
  });

  test('an address without a file goes to usherd with the rest as PATH_INFO', async () => {
    const seen = await fetchPath('/~alice/apps/blog/nice/url');
    assert.equal(scriptOf(seen), '/alice/apps/blog/nice');
    assert.equal(seen.params?.get('PATH_INFO'), '/url');
  });

  test('with public/ only that is visible, and the URL does not show it', async () => {
    assert.equal((await fetchPath('/~alice/apps/laravel/style.css')).text, 'css');
    assert.equal((await fetchPath('/%7Ealice/apps/laravel/style.css')).text, 'css');
    const front = await fetchPath('/~alice/apps/laravel/');
    assert.equal(scriptOf(front), '/alice/apps/laravel/public/index.php');
    const outside = await fetchPath('/~alice/apps/laravel/composer.json');
    assert.equal(scriptOf(outside), '/alice/apps/laravel/public/composer.json');
  });

  test('an entry application serves nothing but public/ by Apache', async () => {
    assert.equal((await fetchPath('/~alice/apps/node/')).text, '<p>static');
    assert.equal(scriptOf(await fetchPath('/~alice/apps/node/x')), '/alice/apps/node/public/x');
    assert.equal(
      scriptOf(await fetchPath('/~alice/apps/flask/style.css')),
      '/alice/apps/flask/style.css',
    );
  });

  test('the address space of an entry application is its own: no index file, no slash for a directory', async () => {
    const top = await fetchPath('/~alice/apps/flask/');
    assert.equal(scriptOf(top), '/alice/apps/flask/');
    assert.equal(top.params?.get('SCRIPT_NAME'), '/~alice/apps/flask/');
    assert.equal(scriptOf(await fetchPath('/~alice/apps/flask/api')), '/alice/apps/flask/api');
  });

  test('the address of an application gets its slash', async () => {
    for (const app of ['blog', 'laravel', 'flask']) {
      const { status, location } = await fetchPath(`/~alice/apps/${app}`);
      assert.equal(status, 301, app);
      assert.match(location ?? '', new RegExp(`/~alice/apps/${app}/$`));
    }
  });

  test('plain files need no script at all', async () => {
    assert.equal((await fetchPath('/~alice/apps/site/')).text, '<p>hello');
  });

  test('a new application answers at once, and a missing one is for usherd to refuse', async () => {
    assert.equal(scriptOf(await fetchPath('/~alice/apps/new/')), '/alice/apps/new');
    write('alice/apps/new/index.php', SECRET);
    assert.equal(scriptOf(await fetchPath('/~alice/apps/new/')), '/alice/apps/new/index.php');
  });

  test('a virtual host on an application needs nothing else', async () => {
    assert.equal((await fetchPath('/style.css', 'blog.test')).text, 'css');
    assert.equal(scriptOf(await fetchPath('/', 'blog.test')), '/alice/apps/blog/index.php');
    assert.equal((await fetchPath('/style.css', 'laravel.test')).text, 'css');
    assert.equal(
      scriptOf(await fetchPath('/', 'laravel.test')),
      '/alice/apps/laravel/public/index.php',
    );
    assert.equal((await fetchPath('/~alice/apps/blog/style.css', 'laravel.test')).text, 'css');
  });

  const MARKERS = [
    'app.fcgi index.fcgi dispatch.fcgi passenger_wsgi.py wsgi.py asgi.py app.py app.psgi',
    'config.ru package.json server.js app.js WEB-INF/web.xml manage.py server.mjs app.mjs app.jar Procfile',
  ].flatMap((line) => line.split(' '));

  test('every marker of an entry program hides the sources beside it, and itself', async () => {
    for (const [at, marker] of MARKERS.entries()) {
      write(`alice/apps/m${at}/${marker}`, SECRET);
      write(`alice/apps/m${at}/lib.txt`, SECRET);
      for (const path of [marker, 'lib.txt']) {
        const seen = await fetchPath(`/~alice/apps/m${at}/${path}`);
        assert.doesNotMatch(seen.text, new RegExp(SECRET), `${marker}: ${path}`);
        assert.ok(seen.params !== undefined, `${marker}: ${path} is for usherd`);
      }
    }
  });

  const NEVER = [
    '.env .git/config .htpasswd sub/.env .well-known/x index.php index.PHP lib.phtml a.phar x.cgi cgi-bin/tool',
    'index.php~ index.php.bak index.php.txt config.inc settings.bak page.html~ page.html.orig page.html.swp',
    'restart.txt tmp/restart.txt %23page.html%23',
  ].flatMap((line) => line.split(' '));

  test('what nobody may see is served in no web root, whatever its kind', async () => {
    for (const web of ['alice/apps/blog', 'alice/apps/laravel/public']) {
      for (const path of NEVER) {
        write(`${web}/${decodeURIComponent(path)}`, SECRET);
        const seen = await fetchPath(`/~${web.replace('/public', '')}/${path}`);
        assert.doesNotMatch(seen.text, new RegExp(SECRET), `${web}: ${path}`);
      }
    }
    write('alice/apps/laravel/public/usherd.toml', SECRET);
    const settings = await fetchPath('/~alice/apps/laravel/usherd.toml');
    assert.doesNotMatch(settings.text, new RegExp(SECRET));
  });

  test('no detour leads to a source', async () => {
    const detours = [
      '/~alice/apps/laravel/../flask/app.py',
      '/~alice/apps/laravel/%2e%2e/composer.json',
      '/~alice/apps/laravel//..//composer.json',
      '/~alice/apps/flask/public/../app.py',
      '/~alice/apps/flask//app.py',
      '/~alice/apps/flask/./app.py',
      '/~alice/apps/flask/app.py/',
      '/~alice/apps/flask/app.py%00.css',
      '/~alice/apps/flask%2Fapp.py',
      '/~alice/apps/blog/index.php%00.css',
      '/~alice/apps/blog/index.php/x.css',
      '/~alice/apps/blog/INDEX.PHP',
    ];
    for (const path of detours) {
      assert.doesNotMatch((await fetchPath(path)).text, new RegExp(SECRET), path);
    }
  });

  test('.htaccess in an application has no say', async () => {
    write('alice/apps/blog/ht/.htaccess', 'SetHandler default-handler\nDeny from all\n');
    write('alice/apps/blog/ht/page.php', SECRET);
    const seen = await fetchPath('/~alice/apps/blog/ht/page.php');
    assert.equal(scriptOf(seen), '/alice/apps/blog/ht/page.php');
  });

  test('what users write into files that Apache reads costs Apache nothing (T134)', async () => {
    const lines = (bytes: number): string => '\n'.repeat(bytes);
    write('alice/apps/long/usherd.toml', lines(1_048_576));
    write('alice/apps/blank/usherd.toml', lines(16_384));
    write('alice/apps/denied/deep/er/.htaccess', lines(65_536));
    write('alice/apps/denied/deep/.htaccess', `${lines(65_000)}Require all denied`);
    for (const app of ['long', 'blank', 'denied/deep', 'denied/deep/er']) {
      write(`alice/apps/${app}/a.txt`, 'text');
    }
    const startMs = performance.now();
    assert.equal((await fetchPath('/~alice/apps/blank/a.txt')).text, 'text');
    const tooLong = await fetchPath('/~alice/apps/long/a.txt');
    assert.ok(tooLong.params !== undefined, 'what it says is not known, so nothing is shown');
    for (const path of ['deep/a.txt', 'deep/er/a.txt']) {
      const seen = await fetchPath(`/~alice/apps/denied/${path}`);
      assert.ok(seen.params !== undefined, path);
    }
    // Four answers from files of a megabyte at most; by an expression that goes back, one of them takes minutes.
    assert.ok(performance.now() - startMs < 500);
  });

  test('a directory that says in its .htaccess that nobody may have it is not served', async () => {
    const denials = ['Deny from all', '  deny  from ALL\r', '# no\n\tRequire all denied'];
    for (const [at, text] of denials.entries()) {
      write(`alice/apps/site/closed${at}/.htaccess`, `${text}\n`);
      write(`alice/apps/site/closed${at}/a.txt`, SECRET);
      const seen = await fetchPath(`/~alice/apps/site/closed${at}/a.txt`);
      assert.ok(seen.params !== undefined, text);
    }
    write('alice/apps/site/open/.htaccess', '# Deny from all\nRequire all granted\n');
    write('alice/apps/site/open/a.txt', 'text');
    assert.equal((await fetchPath('/~alice/apps/site/open/a.txt')).text, 'text');
  });

  test('an usherd.toml that names a program hides the sources beside it, one with limits only does not', async () => {
    const programs = [
      'command = ["./x"]',
      '"command"=["x"]',
      "  'runtime' = 'node'\r",
      'a=1\nruntime="python"',
    ];
    const others = [
      'runtime = "php"',
      "'runtime'='cgi'",
      '[limits]\nidle_timeout = "1m"',
      'x_command = 1',
    ];
    for (const [at, text] of [...programs, ...others].entries()) {
      write(`alice/apps/t${at}/usherd.toml`, `${text}\n`);
      write(`alice/apps/t${at}/a.txt`, 'text');
      const seen = await fetchPath(`/~alice/apps/t${at}/a.txt`);
      assert.equal(seen.params !== undefined, at < programs.length, text);
    }
  });

  const needsRoot = process.getuid?.() === 0 ? false : 'needs root to have files of two users';

  test("a link does not publish another user's file", { skip: needsRoot }, async () => {
    write('bob/private.txt', SECRET);
    symlinkSync(
      join(directory, 'srv/bob/private.txt'),
      join(directory, 'srv/alice/apps/blog/mine.txt'),
    );
    symlinkSync('style.css', join(directory, 'srv/alice/apps/blog/same.css'));
    chownSync(join(directory, 'srv/bob/private.txt'), 52_002, 52_002);
    const seen = await fetchPath('/~alice/apps/blog/mine.txt');
    assert.equal(seen.status, 403);
    assert.equal((await fetchPath('/~alice/apps/blog/same.css')).text, 'css');
  });

  test('a graceful restart keeps serving', async () => {
    await apache.graceful();
    assert.equal((await fetchPath('/~alice/apps/blog/style.css')).text, 'css');
    assert.equal(scriptOf(await fetchPath('/~alice/apps/blog/')), '/alice/apps/blog/index.php');
  });

  test('without usherd the answer is 503', async () => {
    await responder.close();
    assert.equal((await fetchPath('/~alice/apps/blog/')).status, 503);
    assert.equal((await fetchPath('/~alice/apps/blog/style.css')).text, 'css');
  });
});
