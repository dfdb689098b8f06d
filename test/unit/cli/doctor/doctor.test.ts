// How `usherd doctor` says what it found.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { formatCheck } from '../../../../src/cli/doctor.js';
import { note, wrong, type Patient } from '../../../../src/cli/doctor/diagnosis.js';
import { frontSockets, router, supervisor } from '../../../../src/cli/doctor/service-checks.js';
import { testConfig } from '../../../support/config.js';
import { scratchDirectory } from '../../../support/scratch.js';

const FINDING = { rule: 'r', found: 'this', expected: 'that', remedy: 'do something' };

test('what is well is one line, what was not looked at says so', () => {
  assert.equal(formatCheck('disk', []), 'ok     disk');
  assert.equal(formatCheck('disk', undefined), '-      disk: not looked at');
});

test('a symptom says what was found where, what was expected and what to do', () => {
  assert.deepEqual(formatCheck('disk', [wrong({ ...FINDING, path: '/x' })]).split('\n'), [
    ...['WRONG  disk (r)', '       found:    /x: this'],
    ...['       expected: that', '       remedy:   do something'],
  ]);
  assert.match(
    formatCheck('disk', [note(FINDING), note(FINDING)]),
    /^note {3}disk[^]*\nnote {3}disk/,
  );
});

test('a router of another version needs a restart of both, one that is away only its own', async () => {
  const remedies = async (state: object): Promise<readonly string[]> => {
    const patient: Patient = { config: testConfig(), isRoot: true, status: { router: state } };
    return ((await router.run(patient)) ?? []).map(({ remedy }) => remedy);
  };
  assert.deepEqual(await remedies({ answered: true, foreignProtocol: 0 }), []);
  assert.match((await remedies({ answered: false })).join(), /^systemctl restart usherd-router;/);
  assert.deepEqual(await remedies({ answered: false, foreignProtocol: 3 }), [
    'systemctl restart usherd',
  ]);
});

test('of somebody who is not root, and whom nobody answers, nothing is called wrong for that', async () => {
  const patient: Patient = { config: testConfig(), isRoot: false, status: undefined };
  const [symptom, ...more] = (await supervisor.run(patient)) ?? [];
  assert.deepEqual([symptom?.weight, symptom?.rule, more], ['note', 'not-root', []]);
  assert.equal(await frontSockets.run(patient), undefined);
});

test('a supervisor that hangs is told from one that is not there', async (t) => {
  const run = scratchDirectory(t);
  const config = testConfig({ paths: { run, log: run, state: run } });
  const patient: Patient = { config, isRoot: true, status: undefined };
  const ruleOf = async (): Promise<string | undefined> =>
    (await supervisor.run(patient))?.[0]?.rule;
  assert.equal(await ruleOf(), 'supervisor-away');
  const server = createServer().listen(`${run}/control.sock`);
  t.after(() => server.close());
  await once(server, 'listening');
  assert.equal(await ruleOf(), 'supervisor-hangs');
});
