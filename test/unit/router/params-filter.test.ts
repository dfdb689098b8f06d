// Which params reach a worker.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsherdError } from '../../../src/errors.js';
import { cleanParams, contentLength, isPermittedName } from '../../../src/router/params-filter.js';
import { paramsOf } from './forms.js';

const isMalformed = (err: unknown): boolean =>
  err instanceof UsherdError && err.code === 'E_PARAMS_MALFORMED';

for (const name of [
  ...['USHERD_TOKEN', 'MATCH_USHERD_USER', 'HTTP_PROXY', 'PATH', 'proxy-nokeepalive'],
  ...['proxy-sendcl', 'HTTP_EXPECT', 'HTTP_TRANSFER_ENCODING', 'HTTP_CONNECTION', 'HTTP_UPGRADE'],
  ...['HTTP_TE', 'PHP_VALUE', 'PHP_ADMIN_VALUE', 'PHPRC', 'PHP_INI_SCAN_DIR', 'UWSGI_FILE'],
  ...['LD_PRELOAD', 'LD_LIBRARY_PATH', 'GLIBC_TUNABLES', 'GCONV_PATH', 'LOCPATH', 'NLSPATH'],
  ...['MALLOC_CHECK_', 'IFS', 'ENV', 'BASH_ENV', 'SHELLOPTS', 'PERL5LIB', 'PERL5OPT', 'RUBYOPT'],
  ...['PYTHONPATH', 'PYTHONSTARTUP', 'RUBYLIB', 'NODE_OPTIONS', 'FCGI_ROLE', 'NOTIFY_SOCKET'],
  ...['LISTEN_FDS', 'HOME', 'USER', 'TMPDIR', 'REDIRECT_USHERD_TOKEN', 'REDIRECT_HTTP_PROXY'],
  ...[
    'REDIRECT_REDIRECT_LD_PRELOAD',
    '',
    '1X',
    'A-B',
    'A.B',
    'A B',
    '\xc3',
    'A\n',
    'x'.repeat(257),
  ],
  ...['HTTP_CONTENT_LENGTH', 'HTTP_CONTENT_TYPE'],
  // curl, wget and Python look for these, too
  ...['http_proxy', 'Http_Proxy', 'HTTP_proxy', 'REDIRECT_http_proxy'],
]) {
  test(`${JSON.stringify(name)} does not reach a worker (T41, T42, T43)`, () => {
    assert.equal(cleanParams(new Map([[name, 'x']])).size, 0);
  });
}

for (const name of [
  ...['HTTP_HOST', 'HTTP_PROXY_X', 'HTTP_USHERD_TOKEN', 'REDIRECT_STATUS', 'REDIRECT_REMOTE_USER'],
  ...['PATH_INFO', 'USERNAME', 'ENVIRONMENT', 'HTTPS', '__proto__', 'constructor', 'x'.repeat(256)],
  ...['MATCH_USER', 'HTTP_TEST', 'SSL_CLIENT_CERT'],
]) {
  test(`${name} reaches a worker`, () => assert.equal(isPermittedName(name), true));
}

test('values keep every byte', () => {
  const value = Array.from({ length: 255 }, (_, i) => String.fromCharCode(i + 1)).join('');
  assert.equal(cleanParams(paramsOf({ HTTP_X: value })).get('HTTP_X'), value);
});

test('a NUL in a value refuses the request, in a name that is removed it does not matter', () => {
  assert.throws(() => cleanParams(paramsOf({ HTTP_X: 'a\0b' })), isMalformed);
  assert.equal(cleanParams(paramsOf({ LD_PRELOAD: 'a\0b' })).size, 0);
});

for (const text of ['', '-1']) {
  test(`CONTENT_LENGTH ${JSON.stringify(text)} is unknown and is not passed on`, () => {
    const params = paramsOf({ CONTENT_LENGTH: text });
    assert.equal(contentLength(params), undefined);
    assert.equal(cleanParams(params).has('CONTENT_LENGTH'), false);
  });
}

for (const text of [
  '+5',
  '5 ',
  ' 5',
  '1e3',
  '5,5',
  '5, 5',
  '0x5',
  '-2',
  '5.0',
  '9'.repeat(16),
  'x',
]) {
  test(`CONTENT_LENGTH ${JSON.stringify(text)} is malformed`, () => {
    assert.throws(() => contentLength(paramsOf({ CONTENT_LENGTH: text })), isMalformed);
    assert.throws(() => cleanParams(paramsOf({ CONTENT_LENGTH: text })), isMalformed);
  });
}

test('CONTENT_LENGTH is passed on as one plain number', () => {
  assert.equal(contentLength(paramsOf({ CONTENT_LENGTH: '0' })), 0);
  assert.equal(cleanParams(paramsOf({ CONTENT_LENGTH: '0012' })).get('CONTENT_LENGTH'), '12');
  assert.equal(contentLength(paramsOf({ CONTENT_LENGTH: '9'.repeat(15) })), 999_999_999_999_999);
  assert.equal(contentLength(new Map()), undefined);
});

test('an empty CONTENT_TYPE is no content type', () => {
  assert.equal(cleanParams(paramsOf({ CONTENT_TYPE: '' })).has('CONTENT_TYPE'), false);
  assert.equal(cleanParams(paramsOf({ CONTENT_TYPE: 'a/b' })).get('CONTENT_TYPE'), 'a/b');
});
