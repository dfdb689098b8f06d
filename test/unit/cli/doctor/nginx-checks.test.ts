// What `usherd doctor` says about an nginx.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { judgeNginx } from '../../../../src/cli/doctor/nginx-checks.js';
import { testConfig } from '../../../support/config.js';

const SOCKET = '/run/usherd/front/front.sock';
const SHIPPED = join(import.meta.dirname, '../../../../../conf.example/nginx');
const SOUND = `user www-data;
upstream usherd { server unix:${SOCKET}; }
    fastcgi_read_timeout 330s;
    disable_symlinks if_not_owner from=/srv;
`;

function rulesOf(text: string, problem = ''): readonly string[] {
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
  const patient = { config, isRoot: true, status: undefined };
  return judgeNginx({ text, problem }, patient).map(({ rule }) => rule);
}

test('a configuration like the shipped one has nothing wrong', () => {
  assert.deepEqual(rulesOf(SOUND), []);
  const shipped = [
    'usherd.conf',
    'usherd-users.conf',
    'usherd-locations.conf',
    'usherd-app.conf',
    'usherd-params.conf',
  ];
  const text = shipped.map((name) => readFileSync(join(SHIPPED, name), 'utf8')).join('\n');
  assert.deepEqual(rulesOf(text), []);
});

test('an nginx that knows nothing of usherd is a note, one that does not load is wrong', () => {
  assert.deepEqual(rulesOf('events {}'), ['nginx-not-told']);
  assert.deepEqual(rulesOf(SOUND, 'unknown directive'), ['nginx-configuration']);
});

test('an account that cannot connect is told, whichever way it is written', () => {
  assert.deepEqual(rulesOf(SOUND.replace('www-data', 'nginx')), ['nginx-account']);
  assert.deepEqual(rulesOf(SOUND.replace('www-data', 'nginx www-data')), []);
  assert.deepEqual(rulesOf(SOUND.replace('user www-data;', '')), [], 'Debian’s own default');
});

test('an nginx that is less patient than usherd is told, also where it says nothing', () => {
  for (const value of ['299s', '4m', '299000ms']) {
    assert.deepEqual(rulesOf(SOUND.replace('330s', value)), ['nginx-timeout'], value);
  }
  for (const value of ['300', '5m', '1h']) {
    assert.deepEqual(rulesOf(SOUND.replace('330s', value)), [], value);
  }
  assert.deepEqual(rulesOf(SOUND.replace(/.*read_timeout.*\n/, '')), ['nginx-timeout']);
});

test('links that are followed anywhere are wrong', () => {
  assert.deepEqual(rulesOf(SOUND.replace('if_not_owner', 'off')), ['nginx-symlinks']);
});
