// Whatever the params say, a request stays inside the application that its path names.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { APP_ID } from '../../../src/ipc/messages.js';
import { resolveApplication } from '../../../src/router/resolve.js';
import { routeRequest } from '../../../src/router/route.js';
import {
  PHP,
  PHP_PUBLIC,
  PYTHON,
  PYTHON_PUBLIC,
  ROOTS,
  RUNTIMES,
} from '../../unit/router/forms.js';

const piece = fc.constantFrom(
  ...['/srv/alice/apps/blog', '/srv/bob/apps/shop', '/home/al/public_html/x', '/srv', '/apps', '/'],
  ...[
    '..',
    '.',
    '/..',
    '/.',
    '//',
    '%2e',
    '%2f',
    '%2E%2e',
    '%25',
    '%',
    '%00',
    '\0',
    '\n',
    ' ',
    'x',
    '/x',
  ],
  ...[
    '/public',
    '/index.php',
    '.php',
    '/.env',
    '/cgi-bin/',
    'proxy:fcgi://h',
    'proxy:balancer://b',
    '[::1]:9',
  ],
  ...['\xc3\xa9', '?', '#', '\\', '/usherd.toml', '/.well-known'],
);
const text = fc.array(piece, { maxLength: 7 }).map((parts) => parts.join(''));
const path = fc
  .tuple(fc.constantFrom('', '/srv/alice/apps/blog', 'proxy:fcgi://h/srv/alice/apps/blog'), text)
  .map(([a, b]) => a + b);

const params = fc
  .record({
    SCRIPT_FILENAME: path,
    SCRIPT_NAME: fc.option(text, { nil: undefined }),
    PATH_INFO: fc.option(text, { nil: undefined }),
    REQUEST_URI: fc.option(text, { nil: undefined }),
    DOCUMENT_ROOT: fc.option(path, { nil: undefined }),
    CONTEXT_PREFIX: fc.option(text, { nil: undefined }),
    CONTEXT_DOCUMENT_ROOT: fc.option(path, { nil: undefined }),
    REDIRECT_HANDLER: fc.option(fc.constant('h'), { nil: undefined }),
    PATH_TRANSLATED: fc.option(path, { nil: undefined }),
  })
  .map(
    (fields) =>
      new Map(Object.entries(fields).flatMap(([k, v]) => (v === undefined ? [] : [[k, v]]))),
  );

const DIRECTORY = /^\/(?:srv\/[a-z0-9_-]+\/apps|home\/[a-z0-9_-]+\/public_html)\/[^/]+$/;
const climbs = (file: string): boolean => file.split('/').some((c) => c === '.' || c === '..');

test('a resolved request names a sound application and a path inside of it (T67)', () => {
  fc.assert(
    fc.property(params, (given) => {
      const found = resolveApplication(given, ROOTS);
      fc.pre(found.ok);
      assert.match(found.app, APP_ID);
      assert.match(found.directory, DIRECTORY);
      assert.ok(found.directory.endsWith(`/${found.app.split('/')[1] ?? ''}`));
      assert.ok(found.rest === '' || found.rest.startsWith('/'));
      assert.equal(climbs(found.rest), false);
      assert.doesNotMatch(found.rest, /[\x00-\x1f\x7f]|\/\/|%2[ef]/i);
    }),
    { numRuns: 5_000 },
  );
});

test('what a worker is told to run lies in its application, and below its web root', () => {
  fc.assert(
    fc.property(params, fc.constantFrom(PHP, PHP_PUBLIC, PYTHON, PYTHON_PUBLIC), (given, facts) => {
      const found = resolveApplication(given, ROOTS);
      fc.pre(found.ok);
      const areSound = [...given.values()].every((value) => !value.includes('\0'));
      fc.pre(areSound);
      const route = routeRequest(given, found, facts, RUNTIMES);
      fc.pre(route.ok);
      const file = route.params.get('SCRIPT_FILENAME') ?? '';
      const webRoot =
        facts.webRoot === '' ? found.directory : `${found.directory}/${facts.webRoot}`;
      const isEntry = route.runtime === '' && facts.defaultRuntime === 'python';
      assert.ok(isEntry ? file === found.directory : file.startsWith(`${webRoot}/`));
      assert.equal(climbs(file), false);
      assert.equal(route.params.get('DOCUMENT_ROOT'), webRoot);
      assert.equal(route.params.has('PATH_TRANSLATED'), false);
      if (!isEntry) assert.doesNotMatch(file, /\/\.(?!well-known(?:\/|$))/);
      assert.notEqual(file, `${found.directory}/usherd.toml`);
      const pathInfo = route.params.get('PATH_INFO') ?? '';
      assert.ok(pathInfo === '' || pathInfo.startsWith('/'));
    }),
    { numRuns: 5_000 },
  );
});
