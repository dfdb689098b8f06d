// What `usherd doctor` says about mail: both the configuration and the unit have to let a program gain its group.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeMail } from '../../../../src/cli/doctor/mail-check.js';
import type { Symptom } from '../../../../src/cli/doctor/diagnosis.js';
import { testConfig, testUser } from '../../../support/config.js';

const POSTDROP = { path: '/usr/sbin/postdrop', mode: 0o2755 };
const strict = testConfig();
const forAlice = testConfig({
  users: new Map([['alice', testUser('alice', 2_001, { noNewPrivileges: false })]]),
});
const forAll = testConfig({ identity: { ...strict.identity, noNewPrivileges: false } });

const only = (symptoms: readonly Symptom[]): Symptom => {
  assert.equal(symptoms.length, 1);
  return symptoms[0] ?? assert.fail();
};

test('where no program needs its bits, nothing is said', () => {
  assert.deepEqual(judgeMail(undefined, strict, true), []);
});

test('where nobody may gain anything, all that has to be changed is named', () => {
  const sealed = only(judgeMail(POSTDROP, strict, true));
  assert.equal(sealed.rule, 'mail-privileges');
  assert.match(sealed.remedy, /no_new_privileges = false.*NoNewPrivileges=no in usherd\.service/);
  assert.doesNotMatch(only(judgeMail(POSTDROP, strict, false)).remedy, /usherd\.service/);
});

test('a configuration that lets users gain it is told from a unit that does not', () => {
  for (const config of [forAlice, forAll]) {
    assert.equal(only(judgeMail(POSTDROP, config, true)).rule, 'mail-unit');
    assert.deepEqual(judgeMail(POSTDROP, config, false), []);
  }
});
