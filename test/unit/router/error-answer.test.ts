// The answers that usherd gives itself.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ERRORS, type ErrorCode } from '../../../src/errors.js';
import { LIMITS } from '../../../src/limits.js';
import {
  answerReason,
  errorAnswer,
  type ErrorAnswerInput,
} from '../../../src/router/error-answer.js';
import { ResponseHeadParser } from '../../../src/router/response-head.js';

const CODES = Object.keys(ERRORS) as ErrorCode[];

const input = (changes: Partial<ErrorAnswerInput> = {}): ErrorAnswerInput => ({
  code: 'E_QUEUE_FULL',
  requestId: '0123abc-7',
  method: 'GET',
  mode: 'production',
  ...changes,
});

const split = (answer: Buffer): [head: string, body: string] => {
  const end = answer.indexOf('\r\n\r\n') + 4;
  return [answer.subarray(0, end).toString('latin1'), answer.subarray(end).toString()];
};

test('item 91: every code of the catalogue gives an answer that our own parser takes, and fits one record', () => {
  for (const code of CODES) {
    for (const mode of ['production', 'development'] as const) {
      const answer = errorAnswer(input({ code, mode }));
      const parser = new ResponseHeadParser();
      assert.equal(parser.push(answer), true);
      assert.equal(parser.head.status, ERRORS[code].status === 0 ? 500 : ERRORS[code].status);
      assert.equal(parser.head.contentLength, parser.rest.length);
      assert.ok(answer.length <= LIMITS.recordContentMaxBytes);
    }
  }
});

test('the head says reason, request and when to come again', () => {
  const [head] = split(errorAnswer(input()));
  assert.equal(
    head.replace(/Content-Length: \d+/, 'Content-Length: N'),
    'Status: 503 Service Unavailable\r\nContent-Type: text/html; charset=utf-8\r\n' +
      'Content-Length: N\r\nX-Usherd-Reason: queue-full\r\nX-Usherd-Request-Id: 0123abc-7\r\n' +
      'Cache-Control: no-store\r\nRetry-After: 2\r\n\r\n',
  );
});

test('a wait in milliseconds is rounded up to seconds', () => {
  assert.match(split(errorAnswer(input({ retryAfterMs: 4_001 })))[0], /Retry-After: 5\r\n/);
  assert.match(split(errorAnswer(input({ retryAfterMs: 0 })))[0], /Retry-After: 2\r\n/);
  assert.doesNotMatch(split(errorAnswer(input({ code: 'E_APP_UNKNOWN' })))[0], /Retry-After/);
});

test('HEAD gets the head of GET and no body', () => {
  const get = split(errorAnswer(input()));
  const head = split(errorAnswer(input({ method: 'HEAD' })));
  assert.equal(head[0], get[0]);
  assert.equal(head[1], '');
});

test('a production page has status and request, and nothing that was found out', () => {
  const [, body] = split(
    errorAnswer(
      input({
        code: 'E_ACCESS_REFUSED',
        rule: 'app-owner',
        detail: '/srv/alice/SECRET',
        remedy: 'chown SECRET',
        stderrLines: ['SECRET'],
      }),
    ),
  );
  assert.match(body, /403 Forbidden/);
  assert.match(body, /0123abc-7/);
  assert.doesNotMatch(body, /SECRET|\/srv|app-owner/);
  assert.ok(body.length < 1_000);
});

test('a development page has cause, rule, remedy and the last lines, escaped', () => {
  const [head, body] = split(
    errorAnswer(
      input({
        code: 'E_ACCESS_REFUSED',
        mode: 'development',
        rule: 'app-owner',
        detail: '<b>"owner" & \'mode\'</b>\x1b[1m',
        remedy: 'chown it',
        stderrLines: ['</pre><script>x</script>', 'caf\u00e9'],
      }),
    ),
  );
  assert.match(head, /X-Usherd-Reason: refused-app-owner\r\n/);
  assert.match(body, /&lt;b&gt;&quot;owner&quot; &amp; &#39;mode&#39;&lt;\/b&gt;\u00b7\[1m/);
  assert.match(body, /&lt;\/pre&gt;&lt;script&gt;x/);
  assert.match(body, /caf\u00e9/);
  assert.match(body, /chown it/);
  assert.doesNotMatch(body, /<script/);
});

test('the catalogue has a remedy where the caller has none', () => {
  const [, body] = split(errorAnswer(input({ mode: 'development' })));
  assert.ok(body.includes(ERRORS.E_QUEUE_FULL.remedy));
});

test('the longest page of the worst text still fits one record', () => {
  const worst = '"'.repeat(100_000);
  const answer = errorAnswer(
    input({
      mode: 'development',
      detail: worst,
      remedy: worst,
      rule: worst,
      stderrLines: Array.from({ length: 1_000 }, () => worst),
    }),
  );
  assert.ok(answer.length <= LIMITS.recordContentMaxBytes);
});

test('nothing in a rule or an id can begin another header line', () => {
  const [head] = split(
    errorAnswer(input({ code: 'E_ACCESS_REFUSED', rule: 'a\r\nX: b', requestId: 'c\r\nY: d' })),
  );
  assert.match(head, /X-Usherd-Reason: refused-aXb\r\n/);
  assert.match(head, /X-Usherd-Request-Id: cYd\r\n/);
});

test('a rule shows in the reason of refused access only', () => {
  assert.equal(answerReason('E_ACCESS_REFUSED'), 'refused-rule');
  assert.equal(answerReason('E_ACCESS_REFUSED', 'app-mode'), 'refused-app-mode');
  assert.equal(answerReason('E_PATH_REFUSED', 'app-mode'), 'refused-path');
  assert.equal(answerReason('E_CONFIG_INVALID'), 'internal-error');
});
