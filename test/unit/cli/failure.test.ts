// What a person reads, and what a supervising program is told, when a command fails.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exitCodeOf, formatFailure } from '../../../src/cli/failure.js';
import { ERRORS, ExitCode, UsherdError, type ErrorCode } from '../../../src/errors.js';

const FINDING = {
  rule: 'path-mode',
  path: '/etc/x',
  found: 'its mode is 0666',
  expected: 'nobody else can write',
  remedy: 'chmod go-w /etc/x',
};

test('a mistake of the user is told without a stack trace, every finding with its remedy', () => {
  const err = new UsherdError('E_CONFIG_UNSAFE', '1 thing is wrong', { findings: [FINDING] });
  const text = formatFailure(err);
  for (const part of [ERRORS.E_CONFIG_UNSAFE.meaning, 'E_CONFIG_UNSAFE', '/etc/x', '0666']) {
    assert.ok(text.includes(part), part);
  }
  assert.match(text, /remedy: +chmod go-w/);
  assert.doesNotMatch(text, /\bat .*:\d+:\d+/);
});

test('a finding that says all in one line leaves the remedy to its code', () => {
  const finding = { rule: 'r', found: 'usherd.toml:1: the key "x"', expected: '', remedy: '' };
  const text = formatFailure(new UsherdError('E_MANIFEST_INVALID', 'd', { findings: [finding] }));
  assert.deepEqual(text.split('\n').slice(1), [
    'usherd.toml:1: the key "x"  (r)',
    `    remedy:   ${ERRORS.E_MANIFEST_INVALID.remedy}`,
  ]);
});

test('without findings the remedy of the code is told', () => {
  const text = formatFailure(new UsherdError('E_CONTROL', 'nobody listens'));
  assert.ok(text.includes(ERRORS.E_CONTROL.remedy));
});

test('a mistake of ours is told as one, with its stack', () => {
  const text = formatFailure(new TypeError('x is undefined'));
  assert.match(text, /a bug/);
  assert.match(text, /failure\.test/);
  assert.match(formatFailure('only text'), /a bug: only text/);
});

test('what a restart cannot mend ends with 100, what it may mend with something else', () => {
  const exit = (code: ErrorCode): number => exitCodeOf(new UsherdError(code, ''));
  assert.equal(exit('E_CONFIG_INVALID'), ExitCode.PERMANENT);
  assert.equal(exit('E_STARTUP_TOOL'), ExitCode.PERMANENT);
  assert.equal(exit('E_USAGE'), ExitCode.PERMANENT);
  assert.equal(exit('E_STARTUP_SOCKET'), ExitCode.TEMPORARY);
  assert.equal(exit('E_CONTROL'), ExitCode.FAILED);
  assert.equal(exitCodeOf(new Error('a bug')), ExitCode.TEMPORARY);
});
