// The rule that refuses a start reaches whoever asked, also by way of a pool, which knows no more of it than the code.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appParams, RouterRig } from '../../support/router-rig.js';
import { waitFor } from '../../support/wait-for.js';

const REFUSE = {
  ...{ code: 'E_MANIFEST_INVALID', rule: 'config-syntax' },
  detail: '/srv/alice/apps/blog/usherd.toml:2: column 1: a key; expected: a value',
  remedy: 'mend this line',
} as const;

test('rule, place and remedy are in the page and in the report', async (t) => {
  const dieForGood = (): void => {
    supervisor.apps.set('alice/blog', { refuse: REFUSE });
    for (const id of [...supervisor.running.keys()]) supervisor.kill(id);
  };
  const app = { facts: { mode: 'development' }, worker: { onRequest: dieForGood } } as const;
  const rig = await RouterRig.start({ apps: { 'alice/blog': app } });
  t.after(() => rig.stop());
  const { supervisor } = rig;
  const front = await rig.front();
  // Its worker dies of it, and the second try waits in the pool.
  const { status, headers, body } = await front.fetch(appParams('alice/blog'));
  assert.deepEqual([status, headers.get('x-usherd-reason')], [503, 'manifest-invalid']);
  for (const words of [REFUSE.rule, REFUSE.detail, `Remedy: ${REFUSE.remedy}`]) {
    assert.ok(body.toString().includes(words), `no ${words} in ${body.toString()}`);
  }
  supervisor.send({ type: 'report', serial: 1, about: 'status' });
  const told = await waitFor('the report', () =>
    supervisor.received.find((message) => message.type === 'reportFailure'),
  );
  const { code, rule, detail, remedy } = told;
  assert.deepEqual({ code, rule, detail, remedy }, REFUSE);
});
