// What a browser sees when a worker fails in every way that a worker can: never a 200 that is none, never a dead web server.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { absence, FrontRig } from '../support/fronts/front-rig.js';
import { FRONT_NAMES, type FrontName } from '../support/fronts/front.js';
import type { HttpAnswer } from '../support/fronts/http-client.js';
import { RESPONDER, WHOLE } from '../support/fronts/responder.js';

const FIRST_BYTE_TIMEOUT_MS = 1_000;
const REQUEST_TIMEOUT_MS = 2_500;

let rig: FrontRig;
before(async () => {
  const worker = RESPONDER;
  const limits = {
    ...{ startTimeoutMs: 800, firstByteTimeoutMs: FIRST_BYTE_TIMEOUT_MS },
    ...{ requestTimeoutMs: REQUEST_TIMEOUT_MS, maxWorkersPerApp: 32 },
  };
  const apps = {
    'alice/dead': { worker, isDead: true, facts: { limits } },
    'alice/gone': { worker, refuse: { code: 'E_APP_UNKNOWN' } },
    'alice/broken': { worker, refuse: { code: 'E_START_FAILED', retryAfterMs: 5_000 } },
  };
  rig = await FrontRig.start({ worker, limits, apps });
});
after(() => rig.stop());

const ask = async (name: FrontName, mode: string, method = 'GET'): Promise<HttpAnswer> => {
  const front = rig.front(name);
  const answer = await front.request({ path: `/~alice/apps/tool/x?mode=${mode}`, method });
  assert.ok(front.isAlive, `${name} is gone:\n${front.log()}`);
  return answer;
};

const WHOLE_ANSWERS = [
  ...['whole', 'no-empty-stdout', 'app-status', 'whole-then-overloaded'],
  ...['stderr-before', 'stderr-in-head', 'stderr-between', 'stderr-after'],
  ...[
    'bytewise',
    'byte-by-byte',
    'drip',
    'empty-stdout-then-close',
    'output-after-end',
    'two-ends',
  ],
];

const REFUSED = [
  ...['end-only', 'end-app-status', 'end-overloaded', 'end-cant-mpx', 'end-unknown-role'],
  ...['empty-stdout-only', 'stderr-only', 'close-at-once', 'close-unread', 'close-after-stderr'],
  ...['close-in-head', 'end-in-head', 'foreign-id', 'id-zero', 'unknown-type', 'values-unasked'],
  ...['unknown-type-zero', 'version-2'],
];

const SILENT = ['hang', 'read-nothing'];

const CUT = ['close-in-body', 'foreign-id-in-body', 'hang-in-body'];
const CUT_WITH_LENGTH = ['close-in-body-with-length', 'end-in-body-with-length'];

/** Caddy 2.6 takes every end of the connection for the end of a whole answer, whatever comes before it. */
const BLIND: ReadonlySet<FrontName> = new Set(['caddy']);

for (const name of FRONT_NAMES) {
  describe(name, { skip: absence(name), concurrency: 4 }, () => {
    for (const mode of WHOLE_ANSWERS) {
      test(`${mode}: the answer comes whole`, async () => {
        const answer = await ask(name, mode);
        assert.equal(answer.status, 200);
        assert.equal(answer.body.toString('latin1'), WHOLE);
        assert.ok(answer.isComplete);
      });
    }

    for (const mode of REFUSED) {
      test(`${mode}: 502 with a page`, async () => {
        for (const method of ['GET', 'POST']) {
          const answer = await ask(name, mode, method);
          assert.equal(answer.status, 502, method);
          assert.match(
            answer.headers.get('x-usherd-reason')?.[0] ?? '',
            /^(worker-died|bad-response)$/,
          );
          assert.match(answer.body.toString('latin1'), /502/);
          assert.doesNotMatch(answer.body.toString('latin1'), /FOREIGN|half an answer/);
          assert.ok(answer.isComplete);
        }
      });
    }

    for (const mode of SILENT) {
      test(`${mode}: 504 after the first byte deadline`, async () => {
        const answer = await ask(name, mode);
        assert.equal(answer.status, 504);
        assert.deepEqual(answer.headers.get('x-usherd-reason'), ['first-byte-timeout']);
      });
    }

    for (const mode of CUT) {
      test(`${mode}: the answer is seen to be cut`, async () => {
        const answer = await ask(name, mode);
        assert.equal(answer.status, 200);
        assert.equal(answer.body.toString('latin1'), 'half an answer');
        assert.equal(answer.isComplete, BLIND.has(name));
      });
    }

    for (const mode of CUT_WITH_LENGTH) {
      test(`${mode}: the answer is seen to be cut`, async () => {
        // nginx has not sent the head yet when it sees how the answer ends: there the connection just ends.
        const answer = await ask(name, mode).catch(() => undefined);
        assert.notEqual(answer?.isComplete, true);
        assert.ok(rig.front(name).isAlive);
      });
    }

    test('output after its end never reaches anybody', async () => {
      // The browser of nginx may see nothing but the end of the connection.
      const answer = await ask(name, 'output-after-empty').catch(() => undefined);
      assert.doesNotMatch(answer?.body.toString('latin1') ?? '', /TOO LATE/);
      assert.equal((await ask(name, 'whole')).body.toString('latin1'), WHOLE);
    });

    test('a worker that nobody can connect to, an application that is not there or does not start', async () => {
      const expected = { dead: [502, 503], gone: [404], broken: [502, 503] };
      for (const [app, statuses] of Object.entries(expected)) {
        const { status, headers } = await rig
          .front(name)
          .request({ path: `/~alice/apps/${app}/x` });
        assert.ok(statuses.includes(status), `${app}: ${status}`);
        assert.ok(headers.has('x-usherd-reason'), app);
      }
    });
  });
}

test('HAProxy has been the same process all the time', { skip: absence('haproxy') }, () => {
  assert.ok(rig.front('haproxy').isAlive, rig.front('haproxy').log());
});

test('no worker was ever sent what kills real ones', () => {
  const violations = [...rig.router.supervisor.running.values()].flatMap(
    ({ worker }) => worker.violations,
  );
  assert.deepEqual(violations, []);
});
