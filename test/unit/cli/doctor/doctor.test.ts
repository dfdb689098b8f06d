// How `usherd doctor` says what it found.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatCheck } from '../../../../src/cli/doctor.js';
import { note, wrong } from '../../../../src/cli/doctor/diagnosis.js';

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
