// `usherd vhost` and a real Apache: a host answers as soon as its link is there, as the owner of the application, and no longer.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Apache, noApache, SHIPPED_VHOSTS } from '../../support/apache.js';
import { fetchHttp, type HttpAnswer } from '../../support/http.js';
import { needsRoot } from '../../support/needs-root.js';
import { UsherdRun } from '../../support/usherd-run.js';
import { waitFor } from '../../support/wait-for.js';

const ALICE = { name: 'alice', uid: 52_131 };
const BOB = { name: 'bob', uid: 52_132 };
const noPhp = existsSync('/usr/bin/php-cgi') ? false : 'php-cgi is not installed';

const SAYS = `<?php echo posix_geteuid(), ' ', $_SERVER['SCRIPT_NAME'], ' ', $_SERVER['PATH_INFO'] ?? '',
  ' ', $_SERVER['DOCUMENT_ROOT'], ' ', $_SERVER['SCRIPT_FILENAME'];`;

describe('virtual hosts by links', { skip: needsRoot || noApache || noPhp }, () => {
  let usherd: UsherdRun;
  let apache: Apache;
  const get = (host: string, path = '/'): Promise<HttpAnswer> =>
    fetchHttp({ port: apache.port, path, headers: { Host: host } });
  const answers = (host: string, status: number, reason?: string): Promise<HttpAnswer> =>
    waitFor(`${host} answers ${status}`, async () => {
      const answer = await get(host);
      return answer.status === status && answer.headers['x-usherd-reason'] === reason && answer;
    });

  before(async () => {
    usherd = await UsherdRun.start([ALICE, BOB], { routerUid: 52_139 });
    usherd.write('alice/blog', 'index.php', SAYS);
    usherd.write('bob/shop', 'index.php', SAYS);
    apache = await Apache.start({
      directory: join(usherd.directory, 'apache'),
      socketPath: usherd.frontSocket,
      root: usherd.root,
      more: readFileSync(SHIPPED_VHOSTS, 'utf8').replace('*:80>', '*:${PORT}>'),
    });
  });
  after(async () => {
    await apache.stop();
    await usherd.stop();
  });

  test('a host without a link is a 404 with a reason', async () => {
    usherd.makeDirectory('vhosts', 0); // `usherd vhost add` would, too
    await answers('blog.test', 404, 'no-app');
  });

  test('added, it answers as the owner, at the root of the host', async () => {
    const { code, out } = await usherd.command('vhost', 'add', 'Blog.Test.', 'alice/blog');
    assert.equal(code, 0, out);
    assert.match(out, /blog\.test leads to .*\/alice\/apps\/blog: /);
    const { body } = await answers('blog.test', 200);
    const root = join(usherd.root, 'alice/apps/blog');
    assert.equal(body.toString(), `52131 /index.php  ${root} ${root}/index.php`);
    const pretty = await get('blog.test', '/a/b?q=1');
    assert.equal(pretty.body.toString(), `52131 /index.php /a/b ${root} ${root}/index.php`);
  });

  test('by its directory it is added as well, and a user who is not there is told of', async () => {
    const directory = join(usherd.root, 'bob/apps/shop');
    assert.equal((await usherd.command('vhost', 'add', 'shop.test', directory)).code, 0);
    assert.match((await answers('shop.test', 200)).body.toString(), /^52132 /);
    const { code, out } = await usherd.command('vhost', 'add', 'later.test', 'carol/x');
    assert.equal(code, 0);
    assert.match(out, /there is no .*\/carol yet/);
  });

  test('a host that leads elsewhere is not taken away without --replace', async () => {
    const { code, out } = await usherd.command('vhost', 'add', 'blog.test', 'bob/shop');
    assert.notEqual(code, 0);
    assert.match(out, /E_VHOST[^]*--replace/);
    assert.equal((await usherd.command('vhost', 'add', 'blog.test', 'alice/blog')).code, 0);
    const replaced = await usherd.command('vhost', 'add', '--replace', 'blog.test', 'bob/shop');
    assert.equal(replaced.code, 0, replaced.out);
    await waitFor('bob has it', async () =>
      (await get('blog.test')).body.toString().startsWith('52132'),
    );
  });

  test('the list says who has which host', async () => {
    const { code, out } = await usherd.command('vhost', 'list');
    assert.deepEqual(
      [code, out.trim().split('\n')],
      [0, ['blog.test  bob/shop', 'later.test  carol/x', 'shop.test  bob/shop']],
    );
    const { out: json } = await usherd.command('vhost', 'list', '--json');
    const rows = JSON.parse(json) as { host: string; app: string }[];
    assert.deepEqual(
      rows.map(({ app }) => app),
      ['bob/shop', 'carol/x', 'bob/shop'],
    );
  });

  test('names that are no hosts and targets that are no applications are refused', async () => {
    for (const [host, app] of [
      ['../x', 'alice/blog'],
      ['a b', 'alice/blog'],
      ['*.test', 'alice/blog'],
      ['x.test:80', 'alice/blog'],
      ['x.test', '/etc'],
      ['x.test', `${usherd.root}/alice`],
      ['x.test', `${usherd.root}/alice/apps/blog/../../../..`],
      ['x.test', 'blog'],
    ] as const) {
      const { code, out } = await usherd.command('vhost', 'add', host, app);
      assert.notEqual(code, 0, `${host} ${app}`);
      assert.match(out, /E_USAGE/, `${host} ${app}`);
    }
  });

  test('it outlives the router, and its removal ends it', async () => {
    const router = usherd.pidOf('router');
    process.kill(router, 'SIGKILL');
    await waitFor('a new router', () => usherd.pidOf('router') !== router);
    await answers('shop.test', 200);
    const { code } = await usherd.command('vhost', 'remove', 'shop.test');
    assert.equal(code, 0);
    await answers('shop.test', 404, 'no-app');
    assert.equal((await usherd.command('vhost', 'remove', 'shop.test')).code !== 0, true);
    const link = readlinkSync(join(usherd.root, 'vhosts/blog.test'));
    assert.equal(link, join(usherd.root, 'bob/apps/shop'), 'the others are as they were');
  });
});
