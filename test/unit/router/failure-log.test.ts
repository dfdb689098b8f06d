// A storm of failed requests is a few lines and a number; what one application does hides nobody else's.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '../../../src/limits.js';
import type { Logger } from '../../../src/log.js';
import { FailureLog } from '../../../src/router/failure-log.js';
import type { RequestFace } from '../../../src/router/request-types.js';

type Fields = Readonly<Record<string, unknown>>;

function recorded(): { readonly log: FailureLog; readonly lines: Fields[] } {
  const lines: Fields[] = [];
  const note = (fields: Fields): void => void lines.push(fields);
  const levels = { fatal: note, error: note, warn: note, info: note, debug: note };
  return { log: new FailureLog(levels as unknown as Logger), lines };
}

const requestOf = (appId: string): RequestFace =>
  ({
    appId,
    name: 'r-1',
    method: 'GET',
    startedMs: performance.now() - 100,
    params: new Map([['REQUEST_URI', '/x?y=1']]),
    assignment: { worker: 'w', pid: 4711 },
  }) as unknown as RequestFace;

test('of a thousand failures of one kind a few are written, and the others counted', () => {
  const { log, lines } = recorded();
  for (let i = 0; i < 1_000; i += 1) log.write(requestOf('alice/a'), { code: 'E_CRASH_LOOP' });
  assert.equal(lines.length, LIMITS.failureLogBurstCount);
  log.write(requestOf('alice/a'), { code: 'E_QUEUE_FULL' });
  log.write(requestOf('bob/b'), { code: 'E_CRASH_LOOP' });
  assert.equal(lines.length, LIMITS.failureLogBurstCount + 2);
});

test('a deadline says what passed, how long it was, where it comes from, and which process had the request', () => {
  const { log, lines } = recorded();
  log.write(requestOf('alice/a'), {
    code: 'E_SILENCE_TIMEOUT',
    passed: {
      code: 'E_SILENCE_TIMEOUT',
      limitMs: 5_000,
      elapsedMs: 5_000.4,
      limitFrom: 'manifest',
    },
  });
  const { errorCode, method, uri, app, workerPid, limitMs, elapsedMs, limitFrom } = lines[0] ?? {};
  assert.deepEqual(
    { errorCode, method, uri, app, workerPid, limitMs, elapsedMs, limitFrom },
    {
      errorCode: 'E_SILENCE_TIMEOUT',
      method: 'GET',
      uri: '/x?y=1',
      app: 'alice/a',
      workerPid: 4711,
      limitMs: 5_000,
      elapsedMs: 5_000,
      limitFrom: 'manifest',
    },
  );
  assert.ok(Number(lines[0]?.['durationMs']) >= 100);
});

test('names of applications that nobody has are forgotten', () => {
  const { log, lines } = recorded();
  const count = LIMITS.failureLogKindsMaxCount + 10;
  for (let i = 0; i < count; i += 1) log.write(requestOf(`alice/a${i}`), { code: 'E_CRASH_LOOP' });
  assert.equal(lines.length, count);
});
