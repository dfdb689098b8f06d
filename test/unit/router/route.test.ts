// What arrives from each front for each kind of application, and what the worker is told (rows: route-table.ts).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { resolveApplication } from '../../../src/router/resolve.js';
import { routeRequest, wantedRuntime } from '../../../src/router/route.js';
import { paramsOf, PHP, PYTHON, ROOTS, RUNTIMES } from './forms.js';
import { B, TABLES, type Row, type Sent, type Told } from './route-table.js';

const sent = ([file, name, info, uri, more]: Sent): Map<string, string> => {
  const params = paramsOf({ REQUEST_METHOD: 'GET', ...more });
  if (file !== undefined) params.set('SCRIPT_FILENAME', file);
  if (name !== undefined) params.set('SCRIPT_NAME', name);
  if (info !== undefined) params.set('PATH_INFO', info);
  if (uri !== undefined) params.set('REQUEST_URI', uri);
  return params;
};

function outcome(row: Row): Told {
  const params = sent(row[1]);
  const resolution = resolveApplication(params, ROOTS);
  if (!resolution.ok) return resolution.code;
  const route = routeRequest(params, resolution, row[2], RUNTIMES);
  if (!route.ok) return route.code;
  const get = (name: string): string | undefined => route.params.get(name);
  return [get('SCRIPT_NAME') ?? '', get('PATH_INFO'), get('SCRIPT_FILENAME') ?? ''];
}

for (const [form, rows] of Object.entries(TABLES)) {
  describe(form, () => {
    for (const row of rows) {
      test(row[0], () => assert.deepEqual(outcome(row), row[3]));
    }
  });
}

test('item 28: the table has at least sixty rows', () => {
  assert.ok(Object.values(TABLES).flat().length >= 60);
});

const ok = (params: Map<string, string>): ReturnType<typeof routeRequest> & { ok: true } => {
  const resolution = resolveApplication(params, ROOTS);
  assert.ok(resolution.ok);
  const route = routeRequest(params, resolution, PHP, RUNTIMES);
  assert.ok(route.ok);
  return route;
};

test('a worker never gets PATH_TRANSLATED, which php-cgi could take for the script', () => {
  const route = ok(
    sent([`${B}/a.php`, '/a.php', '/up.jpg', undefined, { PATH_TRANSLATED: `${B}/up.jpg` }]),
  );
  assert.equal(route.params.has('PATH_TRANSLATED'), false);
});

test('facts of the CGI environment are set, those of the request stay as they came', () => {
  const route = ok(
    sent([
      `${B}/a.php`,
      '/x/a.php',
      '/i',
      '/x/a%2ephp/i?q',
      { SERVER_SOFTWARE: 'nginx', DOCUMENT_URI: '/x' },
    ]),
  );
  const get = (name: string): string | undefined => route.params.get(name);
  assert.equal(get('DOCUMENT_ROOT'), B);
  assert.equal(get('DOCUMENT_URI'), '/x/a.php/i');
  assert.equal(get('REQUEST_URI'), '/x/a%2ephp/i?q');
  assert.equal(get('SERVER_SOFTWARE'), 'nginx');
  assert.equal(get('REDIRECT_STATUS'), '200');
  assert.equal(get('GATEWAY_INTERFACE'), 'CGI/1.1');
  assert.equal(get('QUERY_STRING'), '');
});

test('the status of an error document stays', () => {
  const route = ok(sent([`${B}/404.php`, '/404.php', undefined, '/x', { REDIRECT_STATUS: '404' }]));
  assert.equal(route.params.get('REDIRECT_STATUS'), '404');
  assert.equal(route.params.has('DOCUMENT_URI'), false);
});

test('the params that came are not changed', () => {
  const params = sent([`${B}/a.php`, '/a.php', '/i']);
  const before = [...params];
  ok(params);
  assert.deepEqual([...params], before);
});

test('a script has its runtime by name, the default runtime has none', () => {
  const runtimeOf = (file: string, name: string): [string, string] => {
    const params = sent([file, name]);
    const resolution = resolveApplication(params, ROOTS);
    assert.ok(resolution.ok);
    const route = routeRequest(params, resolution, PYTHON, RUNTIMES);
    assert.ok(route.ok);
    return [wantedRuntime(resolution, RUNTIMES.scripts), route.runtime];
  };
  assert.deepEqual(runtimeOf(`${B}/a.php`, '/a.php'), ['php', 'php']);
  assert.deepEqual(runtimeOf(`${B}/a.cgi`, '/a.cgi'), ['cgi', 'cgi']);
  assert.deepEqual(runtimeOf(`${B}/cgi-bin/a`, '/cgi-bin/a'), ['cgi', 'cgi']);
  assert.deepEqual(runtimeOf(`${B}/x`, '/x'), ['', '']);
});

test('the query is the one that the client wrote, where the web server only wrote it in other words', () => {
  const rows: readonly (readonly [told: string | undefined, asked: string, query: string])[] = [
    ['a=1', '?a=1', 'a=1'],
    [undefined, '', ''],
    ['a=/y.', '?a=%2Fy%2e', 'a=%2Fy%2e'], // lighttpd undoes escapes
    ['a%5B%5D=1', '?a[]=1', 'a[]=1'], // and makes some
    ['b=2', '?a=1?b=2', 'a=1?b=2'], // and forgets all but the last
    ['page=x', '', 'page=x'], // a rewrite rule made it
    ['page=x', '?q=1', 'page=x'],
    ['page=x&q=1', '?q=1', 'page=x&q=1'],
    ['a=%zz', '?b=%zz', 'a=%zz'],
  ];
  for (const [told, asked, query] of rows) {
    const more = told === undefined ? {} : { QUERY_STRING: told };
    const route = ok(sent([`${B}/a.php`, '/a.php', undefined, `/a.php${asked}`, more]));
    assert.equal(route.params.get('QUERY_STRING'), query, asked);
  }
});
