// Logs of applications as their owners meet them: theirs to read, nobody's to replace, joined with the web server's by a name.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { shellAs } from '../../support/as-uid.js';
import { FrontClient, type CgiAnswer } from '../../support/front-client.js';
import { needsRoot } from '../../support/needs-root.js';
import { appParams } from '../../support/router-rig.js';
import { UsherdRun } from '../../support/usherd-run.js';
import { waitFor } from '../../support/wait-for.js';

const ALICE = { name: 'alice', uid: 52_201 };
const BOB = { name: 'bob', uid: 52_202 };
const ROUTER_UID = 52_209;

const SAYS = '<?php error_log("said " . $_SERVER["HTTP_X_REQUEST_ID"]); echo "for the client";';
const NAME = 'front-0123456789';

const noPhp = fs.existsSync('/usr/bin/php-cgi') ? false : 'php-cgi is not installed';

describe('logs of applications', { skip: needsRoot || noPhp }, () => {
  let usherd: UsherdRun;
  let front: FrontClient;
  const pathOf = (name: string): string => `${usherd.directory}/log/${name}`;
  const textOf = (name: string): string =>
    fs.existsSync(pathOf(name)) ? fs.readFileSync(pathOf(name), 'utf8') : '';

  async function get(
    app: string,
    params: Readonly<Record<string, string>> = {},
  ): Promise<CgiAnswer> {
    const [user = '', name = ''] = app.split('/');
    const directory = `${usherd.root}/${user}/apps/${name}`;
    const script = { SCRIPT_FILENAME: `${directory}/index.php`, SCRIPT_NAME: '/index.php' };
    return front.fetch(appParams(app, '/index.php', { ...script, ...params }));
  }

  before(async () => {
    const more = '[log]\naccess = "on"\n[limits]\nslow_request = "10ms"\n';
    usherd = await UsherdRun.start([ALICE, BOB], { routerUid: ROUTER_UID, more });
    usherd.write('alice/blog', 'index.php', SAYS);
    usherd.write('bob/shop', 'index.php', SAYS);
    front = await FrontClient.connect(usherd.frontSocket);
  });
  after(async () => {
    front.close();
    await usherd.stop();
  });

  test('what a worker writes is in the log with time, process and request, and not in the answer', async () => {
    const answer = await get('alice/blog', { HTTP_X_REQUEST_ID: NAME });
    assert.equal(answer.body.toString(), 'for the client');
    await waitFor('the line', () => textOf('alice/blog.log').includes('said'));
    const pid = (await usherd.status()).apps[0]?.workers[0]?.pid ?? 0;
    const line = new RegExp(`^\\S+Z ${pid} ${NAME} (stderr|output) .*said ${NAME}$`, 'm');
    assert.match(textOf('alice/blog.log'), line);
  });

  test('a name that is not fit is replaced, for the worker, too', async () => {
    await get('alice/blog', { HTTP_X_REQUEST_ID: 'not fit "\n' });
    await waitFor('the line', () => /said [0-9a-f]{8}-[0-9a-z]+$/m.test(textOf('alice/blog.log')));
    assert.doesNotMatch(textOf('alice/blog.log'), /not fit/);
  });

  test('the access log has the request under the same name', async () => {
    await waitFor('the line', () => textOf('alice/blog.access').includes(NAME));
    assert.match(
      textOf('alice/blog.access'),
      new RegExp(`"GET /~alice/apps/blog/index.php HTTP/1.1" 200 14 .* [0-9]+ ${NAME}$`, 'm'),
    );
  });

  test('a request that takes longer than slow_request is in the slow log', async () => {
    usherd.write('alice/slow', 'index.php', '<?php usleep(20000);');
    await get('alice/slow', { HTTP_X_REQUEST_ID: NAME });
    await waitFor('the line', () => textOf('alice/slow.slow').includes(NAME));
    assert.match(textOf('alice/slow.slow'), / slow 0\.\d{3} s, .* 200 "GET \//);
  });

  test('the owner reads his logs; another user does not, and nobody but the router changes them', () => {
    const stats = fs.statSync(pathOf('alice'));
    assert.deepEqual([stats.uid, stats.gid, stats.mode & 0o777], [ROUTER_UID, ALICE.uid, 0o750]);
    assert.match(shellAs(ALICE.uid, `cat ${pathOf('alice/blog.log')}`), /said/);
    assert.match(shellAs(ALICE.uid, `ls ${pathOf('alice')}`), /blog\.log/);
    assert.match(shellAs(BOB.uid, `cat ${pathOf('alice/blog.log')}`), /Permission denied/);
    for (const command of [
      `(echo x >> ${pathOf('alice/blog.log')})`,
      `rm -f ${pathOf('alice/blog.log')}`,
      `mv ${pathOf('alice/blog.log')} ${pathOf('alice/other')}`,
      `ln -s /etc/passwd ${pathOf('alice/new.log')}`,
      `mv ${pathOf('alice')} ${pathOf('mine')}`,
    ]) {
      assert.match(shellAs(ALICE.uid, command), /denied|not permitted|cannot/i, command);
    }
  });

  test('`usherd logs` shows the last lines to root', async () => {
    const { code, out } = await usherd.command('logs', 'alice/blog', '-n', '1');
    assert.equal(code, 0, out);
    assert.equal(out.trimEnd().split('\n').length, 1);
    assert.match((await usherd.command('logs', 'alice/blog', '--access')).out, /"GET /);
    const nothing = await usherd.command('logs', 'bob/shop');
    assert.equal(nothing.code, 1);
    assert.match(nothing.out, /bob\/shop has written nothing yet/);
  });

  test('why an application does not start is in its log, for its owner to read', async () => {
    usherd.write('bob/shop', 'usherd.toml', 'runtime = 7\n');
    const answer = await get('bob/shop');
    assert.equal(answer.status, 503);
    await waitFor('the line', () => textOf('bob/shop.log').includes('usherd.toml:1'));
    assert.match(textOf('bob/shop.log'), /^\S+Z - \S+ usherd config-value: .*usherd\.toml:1/m);
  });

  test('applications that are not there make no files', async () => {
    for (const app of ['alice/nothing', 'nobody/blog', 'root/x']) {
      assert.notEqual((await get(app)).status, 200);
    }
    assert.deepEqual(fs.readdirSync(pathOf('')).sort(), ['alice', 'bob']);
    assert.ok(fs.readdirSync(pathOf('alice')).every((name) => /^(blog|slow)\./.test(name)));
  });
});
