// What `usherd doctor` says about an Apache.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeApache, type ApacheSetting } from '../../../../src/cli/doctor/apache-checks.js';
import { testConfig } from '../../../support/config.js';

const SOCKET = '/run/usherd/front/front.sock';
const MODULES = ['proxy', 'proxy_fcgi', 'alias', 'setenvif'];
const SOUND = `SetHandler "proxy:unix:${SOCKET}|fcgi://usherd"\nCGIPassAuth On\nAllowOverride None\n`;

function rulesOf(
  text: string,
  modules: readonly string[] = MODULES,
  authentication: 'none' | 'token' = 'none',
): readonly string[] {
  const sockets = [{ path: SOCKET, group: 'www-data' }];
  const config = testConfig({
    front: { sockets, authorizers: [], authentication, connectionsMax: 10, copyStderr: false },
  });
  const setting: ApacheSetting = { modules: new Set(modules), files: [{ path: '/x.conf', text }] };
  return judgeApache(setting, { config, isRoot: true, status: undefined }).map(({ rule }) => rule);
}

test('a configuration like the shipped one has nothing wrong', () => {
  assert.deepEqual(rulesOf(SOUND), []);
});

test('an Apache that knows nothing of usherd is a note, and nothing else is said', () => {
  assert.deepEqual(rulesOf('AllowOverride All\n', []), ['apache-not-told']);
});

test('each missing module is named', () => {
  assert.deepEqual(rulesOf(SOUND, ['proxy', 'alias']), ['apache-module', 'apache-module']);
});

test('a dropped Authorization header is told; a comment does not count', () => {
  assert.deepEqual(rulesOf(SOUND.replace('CGIPassAuth', '# CGIPassAuth')), [
    'apache-authorization',
  ]);
});

test('.htaccess files that may set handlers are wrong where requests need no token', () => {
  for (const value of ['All', 'AuthConfig FileInfo', 'fileinfo']) {
    const text = SOUND.replace('AllowOverride None', `  AllowOverride ${value}`);
    assert.deepEqual(rulesOf(text), ['apache-allowoverride'], value);
    assert.deepEqual(rulesOf(text, MODULES, 'token'), [], value);
  }
  assert.deepEqual(rulesOf(SOUND.replace('None', 'AuthConfig Limit')), []);
});

test('mod_info is a note', () => {
  assert.deepEqual(rulesOf(SOUND, [...MODULES, 'info']), ['apache-info']);
});
