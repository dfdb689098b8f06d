// What the gateway makes of a request, and of an answer.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Gateway } from '../../../src/gateway/index.js';
import { createLogger } from '../../../src/log.js';
import { ask, HELLO, setUp } from '../../support/gateway-bench.js';

test('a request arrives with the params that Apache would send', async (t) => {
  const { port, directory, responder } = await setUp(t, HELLO);
  mkdirSync(join(directory, 'srv/alice/apps/blog'), { recursive: true });
  await ask(port, '/~alice/apps/blog/x/y%20z?q=1', {
    headers: { Host: 'example.test:80', 'X-A-B': '1' },
  });
  const [request] = responder.requests;
  const expected: Record<string, string> = {
    MATCH_USHERD_USER: 'alice',
    MATCH_USHERD_APP: 'blog',
    SCRIPT_FILENAME: join(directory, 'srv/alice/apps/blog/x'),
    SCRIPT_NAME: '/~alice/apps/blog/x',
    PATH_INFO: '/y z',
    QUERY_STRING: 'q=1',
    REQUEST_URI: '/~alice/apps/blog/x/y%20z?q=1',
    REQUEST_METHOD: 'GET',
    SERVER_PROTOCOL: 'HTTP/1.1',
    SERVER_NAME: 'example.test',
    SERVER_PORT: String(port),
    REMOTE_ADDR: '127.0.0.1',
    GATEWAY_INTERFACE: 'CGI/1.1',
    HTTP_X_A_B: '1',
  };
  for (const [name, value] of Object.entries(expected))
    assert.equal(request?.param(name), value, name);
  assert.equal(request?.flags, 0, 'the connection is not kept');
});

test('SCRIPT_FILENAME ends at the first file, and at the directory when nothing is missing', async (t) => {
  const { port, directory, responder } = await setUp(t, HELLO);
  const app = join(directory, 'srv/alice/apps/blog');
  mkdirSync(join(app, 'sub'), { recursive: true });
  writeFileSync(join(app, 'sub/page.php'), '');
  const seen = async (path: string): Promise<unknown> => {
    await ask(port, `/~alice/apps/blog${path}`);
    const request = responder.requests.at(-1);
    return [
      request?.param('SCRIPT_FILENAME'),
      request?.param('SCRIPT_NAME'),
      request?.param('PATH_INFO'),
    ];
  };
  const url = '/~alice/apps/blog';
  assert.deepEqual(await seen(''), [app, url, undefined]);
  assert.deepEqual(await seen('/'), [`${app}/`, `${url}/`, undefined]);
  assert.deepEqual(await seen('/sub/page.php'), [
    `${app}/sub/page.php`,
    `${url}/sub/page.php`,
    undefined,
  ]);
  assert.deepEqual(await seen('/sub/page.php/a/b'), [
    `${app}/sub/page.php`,
    `${url}/sub/page.php`,
    '/a/b',
  ]);
  assert.deepEqual(await seen('/sub/none/a/'), [`${app}/sub/none`, `${url}/sub/none`, '/a/']);
});

test('an application that does not exist is left to usherd to refuse', async (t) => {
  const { port, directory, responder } = await setUp(t, HELLO);
  assert.equal((await ask(port, '/~alice/apps/none/x')).status, 200);
  const app = join(directory, 'srv/alice/apps/none');
  assert.equal(responder.requests[0]?.param('SCRIPT_FILENAME'), app);
  assert.equal(responder.requests[0].param('PATH_INFO'), '/x');
});

test('headers about the connection, and those that CGI would confuse, do not become params', async (t) => {
  const { port, responder } = await setUp(t, HELLO);
  await ask(port, '/~alice/apps/blog/', {
    headers: {
      Connection: 'close, X-Hop',
      'X-Hop': '1',
      Proxy: 'http://evil',
      X_Foo: '1',
      'X.Foo': '1',
      TE: 'trailers',
      Cookie: 'a=b',
    },
  });
  const names = [...(responder.requests[0]?.params.keys() ?? [])].filter((it) =>
    it.startsWith('HTTP_'),
  );
  assert.deepEqual(names.sort(), ['HTTP_COOKIE', 'HTTP_HOST']);
});

test('bytes that are not ASCII pass unchanged in headers and paths', async (t) => {
  const { port, responder } = await setUp(t, HELLO);
  await ask(port, '/~alice/apps/blog/%ff', { headers: { 'X-Name': 'caf\u00e9' } });
  assert.equal(responder.requests[0]?.param('HTTP_X_NAME'), 'caf\u00e9');
  assert.equal(responder.requests[0].param('PATH_INFO'), '/\u00ff');
});

test('status, repeated headers and body of the answer reach the browser', async (t) => {
  const { port } = await setUp(t, {
    onBody: (request) =>
      request.answer(
        'Status: 404 Nope\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-A: 1\r\n\r\nbody',
      ),
  });
  const answer = await ask(port, '/~alice/apps/blog/');
  assert.equal(answer.status, 404);
  assert.deepEqual(answer.headers['set-cookie'], ['a=1', 'b=2']);
  assert.equal(answer.headers['x-a'], '1');
  assert.equal(answer.text, 'body');
  assert.equal(answer.headers['transfer-encoding'], 'chunked');
});

test('a HEAD request has headers and no body', async (t) => {
  const { port } = await setUp(t, {
    onBody: (request) => request.answer('Content-Length: 5\r\n\r\nhello'),
  });
  const answer = await ask(port, '/~alice/apps/blog/', { method: 'HEAD' });
  assert.equal(answer.headers['content-length'], '5');
  assert.equal(answer.text, '');
});

test('a body arrives whole, with a length and without one', async (t) => {
  const { port, responder } = await setUp(t, HELLO);
  const body = 'x'.repeat(200_000);
  await ask(port, '/~alice/apps/blog/', {
    method: 'POST',
    body,
    headers: { 'Content-Length': body.length },
  });
  await ask(port, '/~alice/apps/blog/', {
    method: 'POST',
    body,
    headers: { 'Transfer-Encoding': 'chunked' },
  });
  for (const request of responder.requests)
    assert.equal(Buffer.concat(request.body).toString(), body);
  const lengths = responder.requests.map((request) => request.param('CONTENT_LENGTH'));
  assert.deepEqual(lengths, [String(body.length), undefined]);
});

test('the top lists what there is to try, as text', async (t) => {
  const { port } = await setUp(t, HELLO);
  const answer = await ask(port, '/');
  assert.match(answer.text, /href="\/~alice\/apps\/blog\/"/);
  assert.match(answer.text, /PHP &lt;as alice&gt;/);
});

test('URLs outside of the applications never reach usherd', async (t) => {
  const { port, responder } = await setUp(t, HELLO);
  assert.equal((await ask(port, '/favicon.ico')).status, 404);
  assert.equal((await ask(port, '/~alice/apps/%2e%2e/%2e%2e/etc/passwd')).status, 404);
  assert.equal((await ask(port, '/%')).status, 400);
  assert.equal(responder.requests.length, 0);
});

test('a port that is taken is an error with a name', async (t) => {
  const { port } = await setUp(t, HELLO);
  const second = new Gateway({
    socketPath: '/none',
    root: '/',
    links: [],
    log: createLogger('silent', 'gateway'),
  });
  await assert.rejects(second.listen(port), { code: 'E_STARTUP_SOCKET', message: /EADDRINUSE/ });
});
