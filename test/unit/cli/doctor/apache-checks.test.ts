// What `usherd doctor` says about an Apache.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  complaintIn,
  judgeApache,
  type ApacheSetting,
} from '../../../../src/cli/doctor/apache-checks.js';
import { testConfig } from '../../../support/config.js';

const SOCKET = '/run/usherd/front/front.sock';
const MODULES = ['proxy', 'proxy_fcgi', 'alias', 'setenvif'];
const SOUND = `SetHandler "proxy:unix:${SOCKET}|fcgi://usherd"\nCGIPassAuth On\nAllowOverride None\n`;

function rulesOf(
  text: string,
  modules: readonly string[] = MODULES,
  problem = '',
): readonly string[] {
  const sockets = [{ path: SOCKET, group: 'www-data' }];
  const config = testConfig({
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

test('a configuration like the shipped one has nothing wrong', () => {
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
