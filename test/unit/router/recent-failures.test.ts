// What the router remembers of troubles: counted, newest first, bounded for each user and in all, forgotten after a while.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '../../../src/limits.js';
import { RecentFailures, type Failure } from '../../../src/router/recent-failures.js';

const failure = (app: string, more: Partial<Failure> = {}): Failure => ({
  ...{ app, code: 'E_CRASH_LOOP', rule: '', detail: '', remedy: '', request: 'r-1' },
  ...more,
});

test('the same trouble of the same application is counted, with its last request and detail', () => {
  const failures = new RecentFailures();
  failures.note(failure('alice/blog'), 1);
  failures.note(failure('bob/shop'), 2);
  failures.note(failure('alice/blog', { request: 'r-2', detail: 'new' }), 3);
  assert.deepEqual(
    failures
      .list(4)
      .map(({ app, times, request, detail, atMs }) => [app, times, request, detail, atMs]),
    [
      ['alice/blog', 2, 'r-2', 'new', 3],
      ['bob/shop', 1, 'r-1', '', 2],
    ],
  );
});

test('another code or another rule is another trouble', () => {
  const failures = new RecentFailures();
  failures.note(failure('alice/blog'), 1);
  failures.note(failure('alice/blog', { code: 'E_ACCESS_REFUSED', rule: 'a' }), 1);
  failures.note(failure('alice/blog', { code: 'E_ACCESS_REFUSED', rule: 'b' }), 1);
  assert.equal(failures.list(1).length, 3);
});

test('everyday answers are not troubles', () => {
  const failures = new RecentFailures();
  for (const code of ['E_SCRIPT_MISSING', 'E_APP_UNKNOWN', 'E_SUSPENDED'] as const) {
    failures.note(failure('alice/blog', { code }), 1);
  }
  assert.deepEqual(failures.list(1), []);
});

test('one user cannot drive out the troubles of others', () => {
  const failures = new RecentFailures();
  failures.note(failure('bob/shop'), 1);
  for (let i = 0; i <= LIMITS.failuresRememberedMaxCount; i += 1) {
    failures.note(failure(`alice/app${i}`), 2);
  }
  const apps = failures.list(3).map(({ app }) => app);
  assert.equal(apps.length, LIMITS.failuresPerUserMaxCount + 1);
  assert.ok(apps.includes('bob/shop'));
  assert.equal(apps[0], `alice/app${LIMITS.failuresRememberedMaxCount}`);
});

test('in all there are at most so many, the oldest go first', () => {
  const failures = new RecentFailures();
  for (let i = 0; i < LIMITS.failuresRememberedMaxCount + 1; i += 1) {
    failures.note(failure(`user${i}/app`), i);
  }
  const apps = failures.list(0).map(({ app }) => app);
  assert.equal(apps.length, LIMITS.failuresRememberedMaxCount);
  assert.ok(!apps.includes('user0/app') && apps.includes('user1/app'));
});

test('after an hour a trouble is forgotten', () => {
  const failures = new RecentFailures();
  failures.note(failure('alice/blog'), 0);
  failures.note(failure('bob/shop'), 10);
  assert.equal(failures.list(LIMITS.failureMaxAgeMs).length, 2);
  assert.deepEqual(
    failures.list(LIMITS.failureMaxAgeMs + 1).map(({ app }) => app),
    ['bob/shop'],
  );
});
