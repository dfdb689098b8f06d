// nginx with the shipped files: index scripts of directories, directories that a .htaccess closes, and hosts by root's links.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { spawn, type ChildProcess } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { startParamsEcho, type FakeResponder } from '../support/fake-responder.js';
import { fetchHttp } from '../support/http.js';
import { scratchDirectory } from '../support/scratch.js';
import { waitFor } from '../support/wait-for.js';

const NGINX = '/usr/sbin/nginx';
const SHIPPED = join(import.meta.dirname, '../../../conf.example/nginx');
const SECRET = 'SECRET-SOURCE';

const FILES: Readonly<Record<string, string>> = {
  'alice/apps/wiki/index.php': SECRET,
  'alice/apps/wiki/style.css': 'css',
  'alice/apps/wiki/data/.htaccess': 'Require all denied',
  'alice/apps/wiki/data/pages/start.css': SECRET,
  'alice/apps/wiki/admin/index.php': SECRET,
  'alice/apps/wiki/admin/a.css': 'css',
  'bob/apps/shop/public/index.php': SECRET,
  'bob/apps/shop/public/style.css': 'css',
  'bob/apps/shop/public/.htaccess': 'RewriteEngine On',
  'alice/apps/wiki/.htaccess': 'RewriteEngine On',
  'bob/apps/shop/public/tool/index.cgi': SECRET,
  'bob/apps/shop/public/data/.htaccess': 'Require all denied',
  'bob/apps/shop/public/data/a.css': SECRET,
  'bob/apps/shop/config.yml': SECRET,
  'bob/apps/api/app.py': SECRET,
  'bob/apps/api/index.php': SECRET,
};

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

describe(
  'directories and hosts behind nginx',
  { skip: existsSync(NGINX) ? false : 'no nginx' },
  () => {
    const cleanUps: (() => unknown)[] = [];
    let directory = '';
    let port = 0;
    let responder: FakeResponder;
    let nginx: ChildProcess;

    /** The shipped files, with the places of this test instead of the machine's. */
    function layNginx(): void {
      for (const name of ['conf.d', 'snippets', 'tmp']) mkdirSync(join(directory, name));
      for (const name of readdirSync(SHIPPED)) {
        const text = readFileSync(join(SHIPPED, name), 'utf8')
          .replaceAll('/run/usherd/front/front.sock', join(directory, 'front.sock'))
          .replaceAll('/srv/vhosts', join(directory, 'srv/vhosts'))
          .replaceAll('/srv/$usherd_user', join(directory, 'srv/$usherd_user'))
          .replace('listen 80', `listen 127.0.0.1:${port}`);
        const folder = name === 'usherd.conf' ? 'conf.d' : 'snippets';
        writeFileSync(join(directory, folder, name), text);
      }
      const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
        .map((name) => `${name}_temp_path ${directory}/tmp/${name};`)
        .join(' ');
      const http = `types { text/css css; } access_log off; ${temporary} include conf.d/*.conf;`;
      const main = `daemon off; worker_processes 1; pid ${directory}/pid; events {}`;
      const text = `${main} http { ${http} include snippets/usherd-vhosts.conf; }`;
      writeFileSync(join(directory, 'nginx.conf'), text);
    }

    /** What the responder was asked for, below the tree; or what nginx sent. */
    async function ask(host: string, path: string): Promise<string> {
      const count = responder.requests.length;
      const { body, status } = await fetchHttp({ port, path, headers: { Host: host } });
      assert.ok(!body.includes(SECRET), `${host} ${path}`);
      const params = responder.requests[count]?.params;
      if (params === undefined) return `${status} ${body.toString()}`;
      return params.get('SCRIPT_FILENAME')?.replace(join(directory, 'srv/'), '') ?? '';
    }

    before(async () => {
      directory = scratchDirectory({ after: (it) => void cleanUps.push(it as () => unknown) });
      chmodSync(directory, 0o755);
      for (const [name, text] of Object.entries(FILES)) {
        const file = join(directory, 'srv', name);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, text);
      }
      mkdirSync(join(directory, 'srv/vhosts'));
      symlinkSync(join(directory, 'srv/alice/apps/wiki'), join(directory, 'srv/vhosts/wiki.test'));
      symlinkSync(join(directory, 'srv/bob/apps/shop'), join(directory, 'srv/vhosts/shop.test'));
      responder = await startParamsEcho(join(directory, 'front.sock'));
      chmodSync(join(directory, 'front.sock'), 0o666);
      port = await freePort();
      layNginx();
      const log = join(directory, 'error.log');
      nginx = spawn(NGINX, ['-p', directory, '-e', log, '-c', 'nginx.conf'], { stdio: 'ignore' });
      await waitFor('nginx answers', async () => {
        if (nginx.exitCode !== null) throw new Error(readFileSync(log, 'utf8'));
        return fetchHttp({ port, path: '/', headers: { Host: 'wiki.test' } }).then(
          () => true,
          () => false,
        );
      });
    });
    after(async () => {
      if (nginx.exitCode === null) {
        nginx.kill('SIGTERM');
        await once(nginx, 'exit');
      }
      await responder.close();
      for (const cleanUp of cleanUps) await cleanUp();
    });

    test('a link is a host', async () => {
      assert.equal(await ask('wiki.test', '/style.css'), '200 css');
      assert.equal(await ask('WIKI.test', '/admin/a.css'), '200 css');
      assert.equal(await ask('wiki.test', '/nice/url'), 'vhosts/wiki.test/nice/url');
      assert.equal(await ask('shop.test', '/style.css'), '200 css');
      assert.equal(await ask('shop.test', '/config.yml'), 'vhosts/shop.test/public/config.yml');
      assert.equal(await ask('none.test', '/x'), 'vhosts/none.test/x');
      assert.match(await ask('..', '/x'), /^400 /);
    });

    test('a directory is its index script', async () => {
      assert.equal(await ask('wiki.test', '/'), 'vhosts/wiki.test/index.php');
      assert.equal(await ask('wiki.test', '/admin/'), 'vhosts/wiki.test/admin/index.php');
      assert.equal(await ask('shop.test', '/tool/'), 'vhosts/shop.test/public/tool/index.cgi');
      assert.equal(
        await ask('x.test', '/~alice/apps/wiki/admin/'),
        'alice/apps/wiki/admin/index.php',
      );
    });

    test('but not one that holds the sources of a program', async () => {
      assert.equal(await ask('x.test', '/~bob/apps/api/'), 'bob/apps/api/');
    });

    test('a directory with a .htaccess is for the application alone; the web root itself is not', async () => {
      assert.equal(await ask('shop.test', '/style.css'), '200 css');
      assert.equal(await ask('wiki.test', '/style.css'), '200 css');
      const page = await ask('wiki.test', '/data/pages/start.css');
      assert.equal(page, 'vhosts/wiki.test/data/pages/start.css');
      assert.equal(await ask('shop.test', '/data/a.css'), 'vhosts/shop.test/public/data/a.css');
    });
  },
);
