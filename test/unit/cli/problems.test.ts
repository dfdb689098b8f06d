// What `usherd status` calls wrong, and what it says about it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemsOf, type Problem } from '../../../src/cli/problems.js';
import { ERRORS, type ErrorCode } from '../../../src/errors.js';

const SOUND = {
  router: { connected: true, answered: true },
  limits: { maxWorkers: 64, workers: 2 },
  suspended: [],
  apps: [{ app: 'alice/blog', state: 'running', queue: 0, workers: [{}] }],
  failures: [],
  counters: { lost: 0, privilegeDropAlarms: 0 },
};

function failure(code: ErrorCode, more: object = {}): object {
  const { reason, meaning, remedy } = ERRORS[code];
  const base = { app: 'alice/blog', rule: '', detail: '', ageMs: 3_000, times: 1 };
  return { ...base, code, reason, meaning, remedy, ...more };
}

function only(status: object): Problem {
  const problems = problemsOf({ ...SOUND, ...status });
  assert.equal(problems.length, 1, JSON.stringify(problems));
  return problems[0] ?? assert.fail();
}

test('where nothing is wrong, nothing is said', () => {
  assert.deepEqual(problemsOf(SOUND), []);
});

test('a router that is away or silent is the first thing to know', () => {
  assert.match(only({ router: { connected: false } }).what, /not connected/);
  assert.match(only({ router: { connected: true, answered: false } }).what, /does not answer/);
  assert.match(only({ router: { foreignProtocol: 1 } }).remedy, /systemctl restart usherd/);
  const both = problemsOf({ ...SOUND, router: {}, suspended: ['bob'] });
  assert.deepEqual(
    both.map(({ where }) => where),
    ['usherd', 'bob'],
  );
});

test('an installed router that would not understand the supervisor is told of before it runs', () => {
  const installed = { version: '2.0', protocol: 3 };
  const [problem] = problemsOf({ ...SOUND, protocol: 2 }, { installed });
  assert.match(problem?.what ?? '', /^version 2\.0 is installed/);
  assert.match(problem?.remedy ?? '', /^systemctl restart usherd,/);
  assert.deepEqual(problemsOf({ ...SOUND, protocol: 3 }, { installed }), []);
  assert.deepEqual(
    problemsOf(SOUND, { installed }),
    [],
    'an older one does not say what it speaks',
  );
  const already = problemsOf(
    { ...SOUND, protocol: 2, router: { foreignProtocol: 3 } },
    { installed },
  );
  assert.equal(already.length, 1, 'said once');
});

test('a front socket on which nobody listens is a problem, although the router runs', () => {
  const [problem] = problemsOf(SOUND, { deadFronts: ['/run/front.sock'] });
  assert.match(problem?.what ?? '', /nobody listens on the front socket \/run\/front\.sock/);
});

test('workers that are used up, survive SIGKILL, or were not dropped as planned are told', () => {
  assert.match(only({ limits: { maxWorkers: 2, workers: 2 } }).what, /all 2 workers/);
  assert.match(only({ counters: { lost: 1 } }).what, /1 worker survived/);
  assert.match(only({ counters: { privilegeDropAlarms: 2 } }).what, /2 privilege drops/);
});

test('a crash loop is one problem, with why the worker ended and the commands that help', () => {
  const exit = { rule: 'worker-exit', detail: 'a worker ended by itself: code 1', times: 5 };
  const { where, what, details, remedy } = only({
    failures: [failure('E_CRASH_LOOP', { times: 412 }), failure('E_WORKER_DIED', exit)],
  });
  assert.equal(where, 'alice/blog');
  assert.equal(what, 'crash-loop (412 times, last 3s ago)');
  assert.deepEqual(details, [
    ERRORS.E_CRASH_LOOP.meaning,
    'a worker ended by itself: code 1, 3s ago, and 4 before it',
  ]);
  assert.match(remedy, /usherd reset alice\/blog/);
  assert.match(remedy, /usherd logs alice\/blog/);
});

test('a worker that ended while nobody waited is a problem of its own', () => {
  const exit = failure('E_WORKER_DIED', { rule: 'worker-exit', detail: 'ended: SIGSEGV' });
  const { what, details } = only({ failures: [exit] });
  assert.match(what, /^worker-died/);
  assert.equal(details[1], 'ended: SIGSEGV, 3s ago');
});

test('a refusal by rule is called by its rule, and its detail is shown', () => {
  const { what, details } = only({
    failures: [failure('E_ACCESS_REFUSED', { rule: 'dir-mode', detail: 'found mode 777' })],
  });
  assert.equal(what, 'dir-mode (3s ago)');
  assert.ok(details.includes('found mode 777'));
});

test('what is over is not a problem any more', () => {
  assert.deepEqual(
    problemsOf({ ...SOUND, failures: [failure('E_CRASH_LOOP', { ageMs: 3e5 + 1 })] }),
    [],
  );
});

test('requests that no application was found for have a place, too', () => {
  const { where } = only({ failures: [failure('E_PATH_REFUSED', { app: '' })] });
  assert.equal(where, 'requests of no application');
});

test('a queue with busy workers shows what they are at', () => {
  const workers = [{ currentRequest: 'GET /slow' }, { currentRequest: '' }];
  const app = { app: 'bob/shop', state: 'running', queue: 7, workers };
  const { where, what, details } = only({ apps: [app] });
  assert.deepEqual([where, what], ['bob/shop', '7 requests wait, 2 workers busy']);
  assert.deepEqual(details, ['now at GET /slow']);
  assert.deepEqual(problemsOf({ ...SOUND, apps: [{ ...app, workers: [] }] }), []);
});

test('a back-off that nobody has met yet is told', () => {
  const app = { app: 'bob/shop', state: 'backoff', queue: 0, workers: [] };
  assert.match(only({ apps: [app] }).remedy, /usherd reset bob\/shop/);
});
