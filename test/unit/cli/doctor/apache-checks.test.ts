// What `usherd doctor` says about an Apache.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  complaintIn,
  judgeApache,
  type ApacheSetting,
} from '../../../../src/cli/doctor/apache-checks.js';
import type { Config } from '../../../../src/config/index.js';
import { TEST_LIMITS, testConfig, testUser } from '../../../support/config.js';

const SOCKET = '/run/usherd/front/front.sock';
const MODULES = ['proxy', 'proxy_fcgi', 'alias', 'setenvif'];
const SOUND = `SetHandler "proxy:unix:${SOCKET}|fcgi://usherd"\nCGIPassAuth On\nAllowOverride None\n<Proxy "fcgi://usherd" enablereuse=on timeout=300>\n`;

function rulesOf(
  text: string,
  modules: readonly string[] = MODULES,
  problem = '',
  users: Config['users'] = new Map(),
): readonly string[] {
  const sockets = [{ path: SOCKET, group: 'www-data' }];
  const config = testConfig({
    users,
    front: {
      sockets,
      authorizers: [],
      authentication: 'none',
      connectionsMax: 10,
      copyStderr: false,
    },
  });
  const files = [{ path: '/x.conf', text }];
  const setting: ApacheSetting = { modules: new Set(modules), files, problem };
  return judgeApache(setting, { config, isRoot: true, status: undefined }).map(({ rule }) => rule);
}

test('the shipped configuration has nothing wrong, nor has one like it', () => {
  const shipped = join(import.meta.dirname, '../../../../../conf.example/apache/usherd.conf');
  assert.deepEqual(rulesOf(`Define USHERD_SOCKET ${SOCKET}\n${readFileSync(shipped, 'utf8')}`), []);
  assert.deepEqual(rulesOf(SOUND), []);
});

test('an Apache that knows nothing of usherd is a note, and nothing else is said', () => {
  assert.deepEqual(rulesOf('AllowOverride All\n', []), ['apache-not-told']);
});

test('a configuration that does not load is the one thing to mend', () => {
  assert.deepEqual(rulesOf('', [], 'AH00526: Syntax error'), ['apache-configuration']);
});

test('each missing module is named', () => {
  assert.deepEqual(rulesOf(SOUND, ['proxy', 'alias']), ['apache-module', 'apache-module']);
});

test('a dropped Authorization header is told; a comment does not count', () => {
  assert.deepEqual(rulesOf(SOUND.replace('CGIPassAuth', '# CGIPassAuth')), [
    'apache-authorization',
  ]);
});

test('an Apache that is less patient than usherd is told, wherever it says how long it waits', () => {
  const withTimeout = (words: string): string => SOUND.replace(' timeout=300', words);
  const define = (value: string): string => `Define USHERD_TIMEOUT ${value}\n`;
  for (const [before, words] of [
    ['', ' timeout=299'],
    ['', ''],
    ['Timeout 299\n', ''],
    ['Timeout 300\nProxyTimeout 299\n', ''],
    [define('"299"') + define('330'), ' timeout=${USHERD_TIMEOUT}'],
    ['# Timeout 600\n', ''],
  ] as const) {
    assert.deepEqual(rulesOf(before + withTimeout(words)), ['apache-timeout'], before + words);
  }
  for (const [before, words] of [
    ['', ' timeout=300'],
    ['Timeout 300\n', ''],
    ['Timeout 60\nProxyTimeout 300\n', ''],
    [define('300'), ' timeout=${USHERD_TIMEOUT}'],
  ] as const) {
    assert.deepEqual(rulesOf(before + withTimeout(words)), [], before + words);
  }
});

test('the longest silence that any user is allowed counts', () => {
  const limits = { ...TEST_LIMITS, silenceTimeoutMs: 1_200_000 };
  const users = new Map([['alice', testUser('alice', 2_001, { limits })]]);
  assert.deepEqual(rulesOf(SOUND, MODULES, '', users), ['apache-timeout']);
});

test('mod_info is a note', () => {
  assert.deepEqual(rulesOf(SOUND, [...MODULES, 'info']), ['apache-info']);
});

test('of what Apache says, the line of the file and the mistake in it are told', () => {
  const said =
    "AH00526: Syntax error on line 3 of /etc/apache2/x.conf:\nInvalid command 'Nonsense'\n" +
    "Action '-t -D DUMP_MODULES' failed.\nThe Apache error log may have more information.\n";
  assert.equal(
    complaintIn(said),
    "AH00526: Syntax error on line 3 of /etc/apache2/x.conf: Invalid command 'Nonsense'",
  );
  assert.equal(complaintIn(''), 'it does not say why');
});
