// conf.example/apache/usherd-authorizer.conf through a real Apache: whoever the application lets in gets in, and nobody else.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ProtocolStatus, RecordType } from '../../../src/fcgi-protocol/index.js';
import { Apache, noApache, SHIPPED_AUTHORIZER } from '../../support/apache.js';
import type { WorkerRequest } from '../../support/fake-worker.js';
import { freePorts } from '../../support/fronts/server-process.js';
import { fetchHttp, type HttpAnswer } from '../../support/http.js';
import { RouterRig } from '../../support/router-rig.js';
import { waitFor } from '../../support/wait-for.js';
import { record } from '../../support/wire-stage.js';

const SECRET = 'MEMBERS ONLY';
const PASSWORD = 'open sesame';
const ALLOW = 'Status: 200 OK\r\nVariable-REMOTE_USER: carol\r\nVariable-STAFF: yes\r\n\r\n';

const out = ({ socket, id }: WorkerRequest, text: string): unknown =>
  socket.write(record(RecordType.STDOUT, id, text));
const end = ({ socket, id }: WorkerRequest, status: number = ProtocolStatus.REQUEST_COMPLETE) =>
  socket.write(record(RecordType.END_REQUEST, id, Buffer.from([0, 0, 0, 0, status, 0, 0, 0])));

/** What the application does when the query names it. */
const BROKEN: Readonly<Record<string, (request: WorkerRequest) => unknown>> = {
  'no-status': (r) => r.reply('Content-Type: text/plain\r\n\r\nhello'),
  'no-status-but-variables': (r) => r.reply('Variable-REMOTE_USER: carol\r\n\r\n'),
  created: (r) => r.reply('Status: 201\r\n\r\n'),
  'no-content': (r) => r.reply('Status: 204\r\nVariable-REMOTE_USER: carol\r\n\r\n'),
  partial: (r) => r.reply('Status: 206\r\n\r\n'),
  'end-only': (r) => end(r),
  overloaded: (r) => end(r, ProtocolStatus.OVERLOADED),
  'unknown-role': (r) => end(r, ProtocolStatus.UNKNOWN_ROLE),
  'close-at-once': (r) => r.socket.destroy(),
  'close-in-head': (r) => (out(r, 'Status: 200 OK\r\n'), r.socket.end()),
  'end-in-head': (r) => (out(r, 'Status: 200 OK\r\n'), end(r)),
  'close-after-200': (r) => (out(r, ALLOW), setImmediate(() => r.socket.end())),
  'close-after-200-and-body': (r) => (out(r, `${ALLOW}ok`), setImmediate(() => r.socket.destroy())),
  'foreign-id': (r) => (r.socket.write(record(RecordType.STDOUT, r.id + 1, ALLOW)), end(r)),
  'foreign-id-after-200': (r) => (out(r, ALLOW), r.socket.write(record(3, r.id + 1, 'x'))),
  'version-2': (r) => r.socket.write(record(RecordType.STDOUT, r.id, ALLOW, { version: 2 })),
  'silent-after-200': (r) => out(r, ALLOW),
  silent: () => undefined,
};

type Params = ReadonlyMap<string, string>;

const last = (all: readonly Params[]): Params => all.at(-1) ?? new Map();

/** Of RFC 7617. */
const basic = (password: string): string => `Basic ${btoa(`carol:${password}`)}`;

function judge(request: WorkerRequest): void {
  const { params } = request;
  const broken = BROKEN[params.get('QUERY_STRING') ?? ''];
  if (broken !== undefined) broken(request);
  else if (params.get('QUERY_STRING') === 'sign-in') {
    request.reply('Status: 302\r\nLocation: /sign-in\r\nSet-Cookie: back=here\r\n\r\nsign in');
  } else if (
    params.get('REMOTE_PASSWD') === PASSWORD ||
    params.get('HTTP_COOKIE') === 'session=carol'
  ) {
    request.reply(ALLOW);
  } else {
    request.reply('Status: 403\r\nContent-Type: text/plain\r\n\r\nnot you');
  }
}

const GUARDED = `
<Location "/basic/">
    AuthType Basic
    AuthName "Members"
    AuthBasicProvider usherd-gate
    Require usherd-gate
</Location>
<Location "/cookie/">
    AuthType usherd
    AuthnzFcgiCheckAuthnProvider usherd-gate RequireBasicAuth Off UserExpr "%{reqenv:REMOTE_USER}"
    Require usherd-gate
</Location>
<Location "/basic/page/">
    SetHandler "proxy:unix:\${USHERD_SOCKET}|fcgi://usherd"
    ProxyFCGIBackendType GENERIC
    ProxyFCGISetEnvIf "true" SCRIPT_FILENAME "/srv/alice/apps/site/"
</Location>
<Location "/trick/">
    SetHandler "proxy:fcgi://\${USHERD_AUTHORIZER}"
</Location>
<Directory "\${HTDOCS}">
    Require all granted
</Directory>
`;

describe('mod_authnz_fcgi', { skip: noApache }, () => {
  let rig: RouterRig;
  let apache: Apache;
  const seen: Params[] = [];
  const pages: Params[] = [];

  const get = (path: string, headers: Readonly<Record<string, string>> = {}): Promise<HttpAnswer> =>
    fetchHttp({ port: apache.port, path, headers: { Host: 'localhost', ...headers } });
  const withPassword = (path: string, password = PASSWORD): Promise<HttpAnswer> =>
    get(path, { Authorization: basic(password) });

  before(async () => {
    const [port = 0] = await freePorts(1);
    const limits = { startTimeoutMs: 400, firstByteTimeoutMs: 400, requestTimeoutMs: 600 };
    rig = await RouterRig.start({
      authorizers: [{ host: '127.0.0.1', port, application: 'alice/gate' }],
      apps: {
        'alice/gate': {
          facts: { roles: ['authorizer'], limits },
          worker: {
            onRequest: (it) => {
              seen.push(it.params);
              judge(it);
            },
          },
        },
        'alice/site': {
          worker: {
            onRequest: (it) => {
              pages.push(it.params);
              it.reply(`Status: 200\r\n\r\n${SECRET}`);
            },
          },
        },
      },
    });
    chmodSync(rig.directory, 0o755);
    for (const name of ['run', 'run/front']) chmodSync(join(rig.directory, name), 0o755);
    chmodSync(rig.frontPath, 0o666);
    const htdocs = join(rig.directory, 'apache/htdocs');
    for (const name of ['basic', 'cookie']) {
      mkdirSync(join(htdocs, name), { recursive: true });
      writeFileSync(join(htdocs, name, 'file.txt'), SECRET);
    }
    apache = await Apache.start({
      directory: join(rig.directory, 'apache'),
      socketPath: rig.frontPath,
      root: '/srv',
      modules: ['auth_basic', 'authn_core', 'authz_user', 'authnz_fcgi'],
      more:
        `Define USHERD_AUTHORIZER 127.0.0.1:${port}\nDefine HTDOCS ${htdocs}\n` +
        `Include ${SHIPPED_AUTHORIZER}\n${GUARDED}`,
    });
  });
  after(async () => {
    await apache.stop();
    await rig.stop();
  });

  test('the right password opens a file, and the application was told what it is about', async () => {
    const answer = await withPassword('/basic/file.txt');
    assert.equal(answer.status, 200, apache.errorLog());
    assert.equal(answer.body.toString(), SECRET);
    const asked = last(seen);
    assert.equal(asked.get('SCRIPT_FILENAME'), join(rig.directory, 'apache/htdocs/basic/file.txt'));
    assert.equal(asked.get('REQUEST_URI'), '/basic/file.txt');
    assert.ok(!asked.has('PATH') && !asked.has('CONTENT_LENGTH'));
  });

  test('no password and a wrong one do not', async () => {
    for (const answer of [
      await get('/basic/file.txt'),
      await withPassword('/basic/file.txt', 'guess'),
    ]) {
      assert.equal(answer.status, 401);
      assert.equal(answer.headers['www-authenticate'], 'Basic realm="Members"');
      assert.ok(!answer.body.includes(SECRET));
    }
  });

  test('an upload is judged by its head, and its body goes to the page', async () => {
    const answer = await fetchHttp({
      port: apache.port,
      path: '/basic/page/x',
      method: 'POST',
      headers: { Host: 'localhost', Authorization: basic(PASSWORD), 'Content-Length': 100_000 },
      body: [Buffer.alloc(100_000, 'x')],
    });
    assert.equal(answer.status, 200, apache.errorLog());
    assert.equal(last(pages).get('CONTENT_LENGTH'), '100000');
    assert.equal(last(seen).get('REQUEST_METHOD'), 'POST');
  });

  test('what the application says in Variable- headers reaches the page, and the password does not', async () => {
    assert.equal((await withPassword('/basic/page/')).status, 200, apache.errorLog());
    const page = last(pages);
    assert.equal(page.get('STAFF'), 'yes');
    assert.equal(page.get('REMOTE_USER'), 'carol');
    assert.ok(!page.has('REMOTE_PASSWD'));
  });

  test('a program that signs people in by itself: the cookie opens, its page and headers go to the browser', async () => {
    const open = await get('/cookie/file.txt', { Cookie: 'session=carol' });
    assert.equal(open.status, 200, apache.errorLog());
    assert.equal(open.body.toString(), SECRET);
    const refused = await get('/cookie/file.txt');
    assert.equal(refused.status, 403);
    assert.equal(refused.body.toString(), 'not you');
    const redirected = await get('/cookie/file.txt?sign-in');
    assert.equal(redirected.status, 302);
    assert.equal(redirected.headers.location, '/sign-in');
    assert.deepEqual(redirected.headers['set-cookie'], ['back=here']);
  });

  for (const mode of Object.keys(BROKEN)) {
    for (const [where, ask] of [
      ['a password', () => withPassword(`/basic/file.txt?${mode}`)],
      ['a cookie', () => get(`/cookie/file.txt?${mode}`, { Cookie: 'session=carol' })],
    ] as const) {
      test(`${mode}, asked with ${where}: nobody gets in`, async () => {
        // Or this would be about an application that is held back because of its deaths.
        await waitFor(
          'the application is well',
          async () => (await withPassword('/basic/file.txt')).status === 200,
        );
        const asked = seen.length;
        const answer = await ask();
        assert.equal(seen[asked]?.get('QUERY_STRING'), mode);
        assert.ok(answer.status >= 400, `${answer.status}`);
        assert.ok(!answer.body.includes(SECRET));
      });
    }
  }

  test('a proxy that is pointed at the address by a .htaccess gets no page', async () => {
    // mod_proxy_fcgi asks as for a page, which nobody is served there.
    const asked = seen.length;
    const before = pages.length;
    const answer = await get('/trick/x');
    assert.equal(answer.status, 500);
    assert.equal(answer.headers['x-usherd-reason'], 'unknown-role');
    assert.deepEqual([seen.length, pages.length], [asked, before]);
  });

  test('an application that is killed, and a router that is away, are refusals', async () => {
    for (const { id } of [...rig.supervisor.running.values()]) rig.supervisor.kill(id);
    rig.supervisor.apps.set('alice/gate', { refuse: { code: 'E_START_FAILED' } });
    const killed = await withPassword('/basic/file.txt');
    assert.equal(killed.status, 401);
    await rig.router.stop();
    await waitFor('nobody gets in', async () => {
      const answers = [
        await withPassword('/basic/file.txt'),
        await get('/cookie/file.txt', { Cookie: 'session=carol' }),
      ];
      assert.ok(answers.every(({ body }) => !body.includes(SECRET)));
      return answers.every(({ status }) => status === 500);
    });
  });
});
