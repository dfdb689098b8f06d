// Authors of .htaccess against their neighbours through a real Apache: what works without tokens, and what is left of it with them.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmodSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Apache, noApache } from '../support/apache.js';
import { shellAs } from '../support/as-uid.js';
import { FakeResponder } from '../support/fake-responder.js';
import { FrontClient, type CgiAnswer } from '../support/front-client.js';
import {
  forgedParams,
  htaccessAttacks,
  rewriteAll,
  type AttackGround,
} from '../support/htaccess-attacks.js';
import { fetchHttp, type HttpAnswer } from '../support/http.js';
import { needsRoot } from '../support/needs-root.js';
import { noPhp } from '../support/no-php.js';
import { appParams } from '../support/router-rig.js';
import { UsherdRun } from '../support/usherd-run.js';
import { waitFor } from '../support/wait-for.js';

/** stop_timeout is 10 s: a worker that is not let go of ends only then. */
const STOP_MAX_MS = 40_000;

const ALICE = { name: 'alice', uid: 52_131 };
const BOB = { name: 'bob', uid: 52_132 };
const WWW_DATA = 33;

const SHOW =
  '<?php header("Content-Type: application/json"); echo json_encode(["uid" => posix_geteuid()] + $_SERVER);';
const TOKEN_LINE = /USHERD_TOKEN "([^"]+)"/;

describe(
  'front tokens against authors of .htaccess',
  { skip: needsRoot || noApache || noPhp },
  () => {
    let usherd: UsherdRun;
    let apache: Apache;
    /** Listens in alice's name, on a socket that the web server may connect to. */
    let trap: FakeResponder;
    let trapPath: string;
    const lowerCase = `/tmp/usherd-front-${process.pid}.sock`;

    const get = (path: string, host = 'localhost'): Promise<HttpAnswer> =>
      fetchHttp({ port: apache.port, path, headers: { Host: host } });
    const htaccess = (...lines: readonly string[]): void =>
      usherd.write('alice/evil', '.htaccess', `${lines.join('\n')}\n`);
    /** What an attack by this .htaccess of alice's gets. */
    const attack = async (...lines: readonly string[]): Promise<HttpAnswer> => {
      htaccess(...lines);
      return get('/~alice/apps/evil/x.php');
    };
    const tokenOf = (user: string): string =>
      TOKEN_LINE.exec(
        readFileSync(join(usherd.directory, `state/tokens/apache/${user}.conf`), 'utf8'),
      )?.[1] ?? '';
    const bobsWorkers = async (): Promise<number> => {
      const { apps } = await usherd.status();
      return apps.find(({ app }) => app === 'bob/shop')?.workers.length ?? 0;
    };

    const ground = (): AttackGround => ({
      root: usherd.root,
      socket: usherd.frontSocket,
      socketInSmallLetters: lowerCase,
      socketOfBob: usherd.socketOf('bob'),
    });

    before(async () => {
      usherd = await UsherdRun.start([ALICE, BOB], {
        routerUid: 52_139,
        boundTo: ['alice', 'bob'],
      });
      usherd.write('alice/evil', 'x.php', SHOW);
      usherd.write('bob/shop', 'index.php', SHOW);
      usherd.write('alice/own', 'index.php', SHOW);
      symlinkSync(usherd.frontSocket, lowerCase);
      trapPath = join(usherd.directory, 'trap.sock');
      trap = new FakeResponder({
        onBody: (request) => request.answer('Content-Type: text/plain\r\n\r\n'),
      });
      await trap.listen(trapPath);
      chmodSync(trapPath, 0o666);
      apache = await Apache.start({
        directory: join(usherd.directory, 'apache'),
        socketPath: usherd.frontSocket,
        root: usherd.root,
        modules: ['rewrite', 'status'],
        defines: { USHERD_TOKENS: `${usherd.directory}/state/tokens/apache` },
        more: `<Directory "${usherd.root}">\nAllowOverride FileInfo\n</Directory>
<VirtualHost *:\${PORT}>\nServerName localhost\n</VirtualHost>
<VirtualHost *:\${PORT}>\nServerName bob.example\nDocumentRoot ${usherd.root}/bob/apps/shop\n</VirtualHost>`,
      });
    });
    after(async () => {
      await apache.stop();
      await trap.close();
      rmSync(lowerCase);
      await usherd.stop();
    });

    test('T63 T64 without tokens every attack runs the code of bob, with whatever params alice likes', async () => {
      for (const [name, lines] of Object.entries(htaccessAttacks(ground()))) {
        const answer = await attack(...lines);
        assert.equal(answer.status, 200, `${name}: ${apache.errorLog()}`);
        const seen = JSON.parse(answer.body.toString()) as Record<string, unknown>;
        assert.equal(seen['uid'], BOB.uid, name);
        if (lines.some((line) => line.includes('REMOTE_USER')))
          assert.equal(seen['REMOTE_USER'], 'admin');
      }
    });

    test('tokens are switched on without a restart', async () => {
      htaccess();
      for (const user of ['alice', 'bob']) {
        const made = await usherd.command('token', 'new', user);
        assert.equal(made.code, 0, made.out);
        assert.ok(!made.out.includes(tokenOf(user)), 'a token was printed');
      }
      await apache.graceful();
      await usherd.reconfigure((text) =>
        text.replace('[front]', '[front]\nauthentication = "token"'),
      );
      await waitFor(
        'a request without a token is refused',
        async () => (await ask(shopParams())).status === 403,
      );
      await waitFor(
        'Apache has its tokens',
        async () => (await get('/~bob/apps/shop/')).status === 200,
      );
      assert.equal((await get('/~alice/apps/own/')).status, 200);
      assert.equal((await get('/', 'bob.example')).status, 200);
    });

    test('T63 T64 with tokens none of them reaches bob, and nothing of his is started', async () => {
      await usherd.command('stop', 'bob/shop');
      await waitFor('no worker of bob', async () => (await bobsWorkers()) === 0, STOP_MAX_MS);
      for (const [name, lines] of Object.entries(htaccessAttacks(ground()))) {
        const answer = await attack(...lines);
        assert.equal(answer.status, 403, name);
        assert.equal(answer.headers['x-usherd-reason'], 'refused-token', name);
      }
      assert.equal(await bobsWorkers(), 0);
      assert.match(usherd.log(), /bob\/shop: the token of alice/);
      htaccess();
      assert.equal((await get('/~bob/apps/shop/')).status, 200);
    });

    test('T65 a guessed, empty or missing token in .htaccess is refused', async () => {
      const guess = `bob.${'A'.repeat(43)}`;
      for (const line of [
        `ProxyFCGISetEnvIf "true" USHERD_TOKEN "${guess}"`,
        'ProxyFCGISetEnvIf "true" USHERD_TOKEN ""',
        'ProxyFCGISetEnvIf "true" "!USHERD_TOKEN"',
        `SetEnv USHERD_TOKEN "${guess}"`,
      ]) {
        const answer = await attack(...forgedParams(ground()), line);
        assert.equal(answer.headers['x-usherd-reason'], 'refused-token', line);
      }
    });

    const shopParams = (...tokens: readonly string[]): Map<string, string> => {
      const params = appParams('bob/shop', '/index.php');
      params.set('SCRIPT_FILENAME', `${usherd.root}/bob/apps/shop/index.php`);
      for (const token of tokens) params.set('USHERD_TOKEN', token);
      return params;
    };
    const ask = async (
      params: Map<string, string>,
      path = usherd.frontSocket,
    ): Promise<CgiAnswer> => {
      const client = await FrontClient.connect(path);
      try {
        return await client.fetch(params);
      } finally {
        client.close();
      }
    };

    test('T65 a token in two params, a part of one, a longer one and one beyond every bound are refused', async () => {
      const token = tokenOf('bob');
      assert.equal((await ask(shopParams(token))).status, 200);
      for (const wrong of [
        token.slice(0, -1),
        `${token}A`,
        token.toUpperCase(),
        token.slice(4),
        ' ',
      ]) {
        assert.equal(
          (await ask(shopParams(wrong))).headers.get('x-usherd-reason'),
          'refused-token',
        );
      }
      // Longer than a param may be: refused while it is decoded, so that nobody hashes it.
      const long = await ask(shopParams('A'.repeat(60 * 1024)));
      assert.equal(long.headers.get('x-usherd-reason'), 'params-too-large');
      for (const name of ['HTTP_USHERD_TOKEN', 'REDIRECT_USHERD_TOKEN', 'usherd_token']) {
        const params = shopParams().set(name, token);
        assert.equal((await ask(params)).headers.get('x-usherd-reason'), 'refused-token', name);
      }
    });

    test('T65 after a rotation both tokens hold until the window ends, then only the new one', async () => {
      const first = tokenOf('bob');
      assert.equal((await usherd.command('token', 'rotate', 'bob')).code, 0);
      const second = tokenOf('bob');
      assert.notEqual(first, second);
      await waitFor(
        'the new token is taken',
        async () => (await ask(shopParams(second))).status === 200,
      );
      assert.equal((await ask(shopParams(first))).status, 200);
      assert.equal((await get('/~bob/apps/shop/')).status, 200, 'Apache still sends the first');
      await apache.graceful();
      assert.equal((await usherd.command('token', 'rotate', 'bob', '--keep', '0')).code, 0);
      const third = tokenOf('bob');
      await waitFor(
        'the newest token is taken',
        async () => (await ask(shopParams(third))).status === 200,
      );
      for (const old of [first, second]) {
        assert.equal((await ask(shopParams(old))).headers.get('x-usherd-reason'), 'refused-token');
      }
      await apache.graceful();
      await waitFor('Apache sends it', async () => (await get('/~bob/apps/shop/')).status === 200);
    });

    test('T66 no expression, handler or environment of the web server gives bob’s token to alice', async () => {
      const token = tokenOf('bob');
      const file = join(usherd.directory, 'state/tokens/apache/bob.conf');
      const leaks = [
        `Header always set X-Leak "expr=%{file:${file}}"`,
        `Header always set X-Leak "expr=%{base64:%{file:${file}}}"`,
        `<If "file('${file}') =~ /USHERD_TOKEN .(bob[^x]+)/">\nHeader always set X-Leak "expr=$1"\n</If>`,
        'Header always set X-Leak "expr=%{reqenv:USHERD_TOKEN}"',
        'Header always set X-Leak "%{USHERD_TOKEN}e"',
        'SetHandler server-status',
        'SetHandler server-info',
        `ErrorDocument 404 /~bob/apps/shop/\n${rewriteAll('- [R=404]').join('\n')}`,
      ];
      for (const line of leaks) {
        const answer = await attack(line);
        const all = JSON.stringify(answer.headers) + answer.body.toString('latin1');
        assert.ok(!all.includes(token) && !all.includes(btoa(token).slice(4, 40)), line);
      }
      assert.ok(!apache.errorLog().includes(token));
    });

    test('T66 a listener of alice’s own behind bob’s virtual host sees her token at most', async () => {
      htaccess(...rewriteAll(`"unix:${trapPath}|fcgi://trap/x.php" [P]`));
      await get('/~alice/apps/evil/x.php', 'bob.example');
      await waitFor('the trap was asked', () => trap.requests.length > 0);
      for (const { params } of trap.requests) {
        for (const value of params.values()) assert.ok(!value.includes(tokenOf('bob')));
      }
      htaccess();
    });

    test('T66 no account, worker, log or status ever sees a token, and the router keeps digests only', async () => {
      const token = tokenOf('bob');
      const { body } = await get('/~bob/apps/shop/');
      assert.ok(!body.includes('USHERD_TOKEN') && !body.includes(token));
      assert.ok(!usherd.log().includes(token));
      const { out } = await usherd.command('status', '--json');
      assert.ok(!out.includes(token));
      for (const file of ['apache/bob.conf', 'nginx/bob.conf', 'digests/bob']) {
        const path = join(usherd.directory, 'state/tokens', file);
        for (const uid of [ALICE.uid, BOB.uid, WWW_DATA]) {
          assert.match(shellAs(uid, `cat ${path}`), /Permission denied/, `${file} as ${uid}`);
        }
      }
      const digests = readFileSync(join(usherd.directory, 'state/tokens/digests/bob'), 'utf8');
      assert.equal(digests, `${createHash('sha256').update(token).digest('hex')} 0\n`);
    });

    test('T75 tokens are asked for with each request of a connection, and a bound socket refuses all others', async () => {
      const own = appParams('alice/own', '/index.php').set('USHERD_TOKEN', tokenOf('alice'));
      own.set('SCRIPT_FILENAME', `${usherd.root}/alice/apps/own/index.php`);
      const shared = await FrontClient.connect(usherd.frontSocket);
      assert.equal((await shared.fetch(own)).status, 200);
      const stolen = await shared.fetch(shopParams(tokenOf('alice')));
      assert.equal(stolen.headers.get('x-usherd-reason'), 'refused-token');
      assert.equal(
        (await shared.fetch(shopParams())).headers.get('x-usherd-reason'),
        'refused-token',
      );
      assert.equal((await shared.fetch(shopParams(tokenOf('bob')))).status, 200);
      shared.close();
      const bound = await FrontClient.connect(usherd.socketOf('alice'));
      assert.equal((await bound.fetch(own)).status, 200);
      const other = await bound.fetch(shopParams(tokenOf('bob')));
      assert.equal(other.headers.get('x-usherd-reason'), 'refused-front-user');
      bound.close();
    });

    test('a token that is taken away, and a file that is not usherd’s, let nobody in', async () => {
      const token = tokenOf('bob');
      const digests = join(usherd.directory, 'state/tokens/digests/bob');
      const refused = async (): Promise<boolean> =>
        (await ask(shopParams(token))).headers.get('x-usherd-reason') === 'refused-token';
      chmodSync(digests, 0o666);
      await waitFor('a file that others may write is refused', refused);
      chmodSync(digests, 0o640);
      await waitFor('it is taken again', async () => !(await refused()));
      assert.equal((await usherd.command('token', 'revoke', 'bob')).code, 0);
      await waitFor('a token that is gone is refused', refused);
      rmSync(digests, { force: true });
    });
  },
);
