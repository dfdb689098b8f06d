// Front tokens where hosts are links of root's: Apache knows an application by the link's name only, and the token has to be there.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Apache, noApache, SHIPPED_VHOSTS } from '../support/apache.js';
import { forgedParams } from '../support/htaccess-attacks.js';
import { fetchHttp, type HttpAnswer } from '../support/http.js';
import { needsRoot } from '../support/needs-root.js';
import { noPhp } from '../support/no-php.js';
import { UsherdRun } from '../support/usherd-run.js';
import { waitFor } from '../support/wait-for.js';

const ALICE = { name: 'alice', uid: 52_151 };
const BOB = { name: 'bob', uid: 52_152 };
const HOST = 'site.test';

describe('tokens and virtual hosts by links', { skip: needsRoot || noApache || noPhp }, () => {
  let usherd: UsherdRun;
  let apache: Apache;
  const get = (path = '/'): Promise<HttpAnswer> =>
    fetchHttp({ port: apache.port, path, headers: { Host: HOST } });
  const answers = (expected: string | number): Promise<unknown> =>
    waitFor(`the host answers ${expected}`, async () => {
      const { status, body } = await get();
      return status === expected || body.toString() === expected;
    });
  const vhost = async (...args: readonly string[]): Promise<void> => {
    const { code, out } = await usherd.command('vhost', ...args);
    assert.equal(code, 0, out);
    assert.match(out, /tokens written for .*apachectl graceful/);
    await apache.graceful();
  };
  const tokensOf = (user: string): string =>
    readFileSync(join(usherd.directory, `state/tokens/apache/${user}.conf`), 'utf8');

  before(async () => {
    usherd = await UsherdRun.start([ALICE, BOB], { routerUid: 52_159 });
    usherd.makeDirectory('vhosts', 0);
    for (const app of ['alice/blog', 'bob/shop']) {
      usherd.write(app, 'index.php', '<?php echo posix_geteuid();');
    }
    await usherd.reconfigure((text) =>
      text.replace('[front]', '[front]\nauthentication = "token"'),
    );
    for (const { name } of [ALICE, BOB]) {
      assert.equal((await usherd.command('token', 'new', name)).code, 0);
    }
    apache = await Apache.start({
      directory: join(usherd.directory, 'apache'),
      socketPath: usherd.frontSocket,
      root: usherd.root,
      defines: { USHERD_TOKENS: `${usherd.directory}/state/tokens/apache` },
      more:
        readFileSync(SHIPPED_VHOSTS, 'utf8').replace('*:80>', '*:${PORT}>') +
        ['', '/vhosts']
          .map(
            (below) =>
              `<Directory "${usherd.root}${below}">\nAllowOverride FileInfo\n</Directory>\n`,
          )
          .join(''),
    });
  });
  after(async () => {
    await apache.stop();
    await usherd.stop();
  });

  test('a host that is added has the token of its owner', async () => {
    await vhost('add', HOST, 'alice/blog');
    await answers(String(ALICE.uid));
    assert.ok(tokensOf('alice').includes(`/vhosts/${HOST}"`));
    assert.ok(!tokensOf('bob').includes(HOST));
  });

  test('T64 an author of .htaccess behind such a host is refused at his neighbour’s door', async () => {
    const ground = { root: usherd.root, socket: '', socketInSmallLetters: '', socketOfBob: '' };
    usherd.write('alice/blog', '.htaccess', `${forgedParams(ground).join('\n')}\n`);
    const { status, headers, body } = await get('/index.php');
    assert.deepEqual(
      [status, headers['x-usherd-reason'], body.toString().slice(0, 9)],
      [403, 'refused-token', '<!doctype'],
    );
    usherd.write('alice/blog', '.htaccess', '');
  });

  test('a host that is given to somebody else changes its token, and one that is removed has none', async () => {
    await vhost('add', '--replace', HOST, 'bob/shop');
    await answers(String(BOB.uid));
    assert.ok(!tokensOf('alice').includes(HOST));
    await vhost('remove', HOST);
    assert.ok(!tokensOf('bob').includes(HOST));
    await answers(404);
  });
});
