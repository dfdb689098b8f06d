// Lines of access logs and slow logs: readable by the programs that read Apache's, unforgeable by whoever sends a request.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Params } from '../../../src/fcgi-protocol/index.js';
import { accessLine, slowLine } from '../../../src/router/access-line.js';
import type { RequestFace } from '../../../src/router/request-types.js';
import { paramsOf } from './forms.js';

const DATE = new Date(Date.UTC(2026, 10, 6, 2, 5, 48, 7));
const TOLD = {
  ...{ status: 200, bodyBytes: 1_234, code: undefined, pid: '4711' },
  ...{ durationMs: 1_500.4, waitMs: 20 },
};
const PARAMS = {
  REMOTE_ADDR: '192.0.2.7',
  REQUEST_URI: '/blog/?p=1',
  SERVER_PROTOCOL: 'HTTP/1.1',
  HTTP_USER_AGENT: 'curl/8',
};

function requestOf(fields: Readonly<Record<string, string>>): RequestFace {
  const params: Params = paramsOf(fields);
  return { name: 'a1b2-3', method: 'GET', params } as RequestFace;
}

/** The format "combined" as log readers take it apart. */
const COMBINED =
  /^(\S+) (\S+) (\S+) \[([^\]]+)\] "((?:[^"\\]|\\.)*)" (\d{3}) (\d+) "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"/;

test('combined has the fields of Apache in their order', () => {
  assert.equal(
    accessLine(requestOf({ ...PARAMS, REMOTE_USER: 'eve' }), TOLD, 'combined', DATE),
    '192.0.2.7 - eve [06/Nov/2026:02:05:48 +0000] "GET /blog/?p=1 HTTP/1.1" 200 1234 "-" "curl/8"\n',
  );
});

test('"on" ends in seconds in all, seconds of waiting, process id and request id', () => {
  const line = accessLine(requestOf(PARAMS), TOLD, 'on', DATE);
  assert.match(line, /"curl\/8" 1\.500 0\.020 4711 a1b2-3\n$/);
  assert.match(line, COMBINED);
});

test('nothing that was sent ends a field or a line, or reaches a terminal', () => {
  const evil = 'x" 200 1 "-"\r\n\\"\u001b[2J\u00ff ';
  const params = Object.fromEntries(
    ['REMOTE_ADDR', 'REMOTE_USER', 'REQUEST_URI', 'HTTP_REFERER', 'HTTP_USER_AGENT'].map(
      (name) => [name, evil] as const,
    ),
  );
  const line = accessLine(requestOf(params), TOLD, 'combined', DATE);
  assert.match(line, /^[\x20-\x7e]*\n$/);
  const fields = COMBINED.exec(line);
  assert.deepEqual([fields?.[6], fields?.[7]], ['200', '1234']);
  assert.ok(fields?.[9]?.startsWith('x\\" 200 1 \\"-\\"\\x0d\\x0a\\\\\\"\\x1b[2J\\xff'), line);
});

test('long fields are cut, missing ones are a dash', () => {
  const long = accessLine(requestOf({ REQUEST_URI: 'x'.repeat(9_000) }), TOLD, 'on', DATE);
  assert.ok(long.length < 2_400);
  assert.match(accessLine(requestOf({}), TOLD, 'combined', DATE), /^- - - \[.*\] "GET - -" /);
});

test('a slow request has its times, its status and what was asked', () => {
  assert.equal(
    slowLine(requestOf(PARAMS), TOLD, DATE),
    '2026-11-06T02:05:48.007Z 4711 a1b2-3 slow 1.500 s, of these 0.020 s waiting for a worker, 200 "GET /blog/?p=1 HTTP/1.1"\n',
  );
});
