// What an HTTP worker is asked, and what its answer looks like to the checks that every answer meets.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cgiHead } from '../../../../src/router/protocols/http-answer.js';
import { httpRequestHead } from '../../../../src/router/protocols/http-request.js';

const MOUNTED = {
  REQUEST_METHOD: 'GET',
  REQUEST_URI: '/~alice/apps/blog/x/y%20z?q=1',
  SCRIPT_NAME: '/~alice/apps/blog',
  PATH_INFO: '/x/y z',
  QUERY_STRING: 'q=1',
  SERVER_NAME: 'example.test',
  SERVER_PORT: '443',
  REMOTE_ADDR: '192.0.2.7',
};

function headOf(params: Readonly<Record<string, string>>): NonNullable<
  ReturnType<typeof httpRequestHead>
> & {
  readonly fields: ReadonlyMap<string, string>;
} {
  const head = httpRequestHead(new Map(Object.entries(params)));
  assert.ok(head);
  const fields = new Map<string, string>();
  for (let at = 0; at < head.headers.length; at += 2) {
    const name = head.headers[at] ?? '';
    assert.ok(!fields.has(name), `${name} twice`);
    fields.set(name, head.headers[at + 1] ?? '');
  }
  return { ...head, fields };
}

const targetOf = (params: Readonly<Record<string, string>>): string => headOf(params).target;

describe('the target', () => {
  test('is the path below the mount, with the escapes that the client wrote', () => {
    assert.equal(targetOf(MOUNTED), '/x/y%20z?q=1');
    assert.equal(headOf(MOUNTED).prefix, '/~alice/apps/blog');
    const odd = { ...MOUNTED, REQUEST_URI: '/%7Ealice/apps/blog/x/y%20%7a', PATH_INFO: '/x/y z' };
    assert.equal(targetOf({ ...odd, QUERY_STRING: '' }), '/x/y%20%7a');
  });

  test('is PATH_INFO, escaped anew, where REQUEST_URI says something else', () => {
    const rewritten = { ...MOUNTED, REQUEST_URI: '/pretty', PATH_INFO: '/a b/\xc3\xa9?#%' };
    assert.equal(targetOf(rewritten), '/a%20b/%C3%A9%3F%23%25?q=1');
    assert.equal(targetOf({ ...MOUNTED, REQUEST_URI: '/%zz' }), '/x/y%20z?q=1');
  });

  test('is the whole path at the root of a host, and never empty', () => {
    const root = { REQUEST_URI: '/a%2Fb', SCRIPT_NAME: '', PATH_INFO: '/a/b' };
    assert.equal(targetOf(root), '/a%2Fb');
    assert.equal(targetOf({ SCRIPT_NAME: '/app', REQUEST_URI: '/app' }), '/');
    assert.equal(targetOf({}), '/');
  });

  test('holds nothing that could end the request line', () => {
    const forged = {
      PATH_INFO: '/a\r\nX: y',
      REQUEST_URI: '/a\r\nX: y',
      QUERY_STRING: 'a b\r\nc\xff',
    };
    assert.equal(targetOf(forged), '/a%0D%0AX:%20y?a%20b%0D%0Ac%FF');
  });
});

describe('the headers', () => {
  test('say of the request what a reverse proxy says, whatever the client says', () => {
    const { fields } = headOf({
      ...MOUNTED,
      HTTP_HOST: 'shop.example.test',
      HTTPS: 'on',
      REMOTE_USER: 'jane',
      HTTP_X_FORWARDED_FOR: '127.0.0.1',
      HTTP_X_FORWARDED_PROTO: 'gopher',
      HTTP_X_FORWARDED_PREFIX: '/evil',
      HTTP_X_FORWARDED_USER: 'root',
      HTTP_X_REMOTE_USER: 'root',
      HTTP_X_REAL_IP: '127.0.0.1',
      HTTP_FORWARDED: 'for=127.0.0.1',
      HTTP_SCRIPT_NAME: '/evil',
    });
    assert.deepEqual(Object.fromEntries(fields), {
      Host: 'shop.example.test',
      'X-Forwarded-For': '192.0.2.7',
      'X-Real-Ip': '192.0.2.7',
      'X-Forwarded-Proto': 'https',
      'X-Forwarded-Host': 'shop.example.test',
      'X-Forwarded-Port': '443',
      'X-Forwarded-Prefix': '/~alice/apps/blog',
      'X-Remote-User': 'jane',
    });
  });

  test('are those of the client otherwise, and a host is always named', () => {
    const { fields } = headOf({
      HTTP_ACCEPT_LANGUAGE: 'de',
      HTTP_COOKIE: 'a=\xe9; b=2',
      CONTENT_TYPE: 'text/plain',
      SOMETHING: 'else',
    });
    assert.equal(fields.get('Host'), 'localhost');
    assert.equal(fields.get('Accept-Language'), 'de');
    assert.equal(fields.get('Cookie'), 'a=\xe9; b=2');
    assert.equal(fields.get('Content-Type'), 'text/plain');
    assert.equal(fields.has('Something'), false);
  });

  test('never hold a value that could become two lines', () => {
    const { headers } = headOf({
      HTTP_A: 'x\r\nInjected: y',
      HTTP_B: 'x\0',
      HTTP_HOST: 'a\nb',
      SCRIPT_NAME: '/a\r\nb',
    });
    assert.ok(headers.every((text) => !/[\r\n\0]/.test(text)));
    assert.equal(headers.includes('A'), false);
  });
});

test('a method that is none, or that makes a tunnel, is not asked', () => {
  for (const method of ['CONNECT', '', 'GE T', 'GET\r\n', 'X'.repeat(33)]) {
    assert.equal(httpRequestHead(new Map([['REQUEST_METHOD', method]])), undefined, method);
  }
});

describe('the head of the answer', () => {
  const text = (headers: readonly string[], prefix = ''): string =>
    cgiHead({ status: 302, reason: 'Found', headers }, prefix).toString('latin1');

  test('is a CGI header block with the headers that are not about the connection', () => {
    const raw = ['Content-Type', 'text/html', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2'];
    const more = ['Connection', 'close', 'Transfer-Encoding', 'chunked', 'Status', '302 Found'];
    assert.equal(
      text([...raw, ...more]),
      'Status: 302 Found\r\nContent-Type: text/html\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\n',
    );
    assert.equal(
      cgiHead({ status: 299, reason: '', headers: [] }, '').toString(),
      'Status: 299\r\n\r\n',
    );
  });

  test('puts the mount in front of a redirect that was meant below it, and only of such', () => {
    const to = (location: string, prefix: string): string =>
      /Location: (.*)\r\n/.exec(text(['Location', location], prefix))?.[1] ?? '';
    assert.equal(to('/login?x=1', '/~alice/apps/blog'), '/~alice/apps/blog/login?x=1');
    assert.equal(to('/~alice/apps/blog/login', '/~alice/apps/blog'), '/~alice/apps/blog/login');
    assert.equal(to('/~alice/apps/blog', '/~alice/apps/blog'), '/~alice/apps/blog');
    assert.equal(
      to('/~alice/apps/blogs', '/~alice/apps/blog'),
      '/~alice/apps/blog/~alice/apps/blogs',
    );
    for (const elsewhere of ['//cdn.test/x', 'https://other.test/', 'next', '?page=2']) {
      assert.equal(to(elsewhere, '/~alice/apps/blog'), elsewhere);
    }
    assert.equal(to('/login', ''), '/login');
  });
});
