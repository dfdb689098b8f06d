// Names: the same rules here, in the messages between router and supervisor, and where a worker is started.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  APP_ID,
  RESERVED_NAMES,
  RESERVED_PREFIXES,
  USER_NAME,
  isOneLine,
  isSettableVariable,
} from '../../../src/config/names.js';
import * as messages from '../../../src/ipc/messages.js';
import * as launcher from '../../../src/privdrop/reserved-names.js';

test('users and applications have the same names here as in the messages', () => {
  assert.equal(USER_NAME.source, messages.USER_NAME.source);
  assert.equal(APP_ID.source, messages.APP_ID.source);
});

test('variables that a start refuses are refused with the configuration, and no others', () => {
  assert.deepEqual([...RESERVED_NAMES].toSorted(), [...launcher.RESERVED_NAMES].toSorted());
  assert.deepEqual([...RESERVED_PREFIXES].toSorted(), [...launcher.RESERVED_PREFIXES].toSorted());
});

test('variables that the launcher or usherd needs for itself cannot be set', () => {
  for (const name of ['IFS', 'ENV', 'BASH_ENV', 'BASH_FUNC_x', 'USHERD_APP', 'FCGI_ROLE', 'PS4']) {
    assert.equal(isSettableVariable(name), false, name);
  }
  for (const name of ['PHP_FCGI_CHILDREN', 'PHP_FCGI_MAX_REQUESTS']) {
    assert.equal(isSettableVariable(name), false, name);
  }
  for (const name of ['NOTIFY_SOCKET', 'LISTEN_FDS', 'PPID', 'UID', 'SHELLOPTS', 'PWD', '_']) {
    assert.equal(isSettableVariable(name), false, name);
  }
});

test('variables for loaders and interpreters can be set: they take effect only after the drop', () => {
  for (const name of [
    'LD_LIBRARY_PATH',
    'LD_PRELOAD',
    'PYTHONPATH',
    'PATH',
    'NODE_OPTIONS',
    '_x',
  ]) {
    assert.equal(isSettableVariable(name), true, name);
  }
});

test('what is no name of a variable cannot be set', () => {
  const long = 'A'.repeat(257);
  for (const name of ['', '1A', 'A=B', 'A B', 'A-B', 'Ä', 'A\n', 'A\0', long]) {
    assert.equal(isSettableVariable(name), false, JSON.stringify(name));
  }
  assert.equal(isSettableVariable('A'.repeat(256)), true);
});

test('line ends, NUL and halves of surrogate pairs are not text on one line', () => {
  for (const text of ['a\nb', 'a\rb', 'a\0b', '\ud800', 'x\udc00', '\n']) {
    assert.equal(isOneLine(text), false, JSON.stringify(text));
  }
  for (const text of ['', 'a b', '\t', 'ü', '\u{1f600}']) assert.equal(isOneLine(text), true, text);
});
