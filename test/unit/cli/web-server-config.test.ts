// The printed configuration of a web server: the shipped text with this machine's values, and a word where it cannot say them.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fitApache, fitNginx } from '../../../src/cli/web-server-config.js';
import { commandsFor } from '../../../src/cli/commands.js';
import { TEST_LIMITS, testConfig } from '../../support/config.js';

const SHIPPED = join(import.meta.dirname, '../../../../conf.example');
const shipped = (file: string): string => readFileSync(join(SHIPPED, file), 'utf8');

const front = (...sockets: readonly { path: string; user?: string }[]) => ({
  sockets: sockets.map((socket) => ({ group: 'www-data', ...socket })),
  authentication: 'none' as const,
  authorizers: [],
  connectionsMax: 1,
  copyStderr: false,
});

const elsewhere = testConfig({
  defaults: { ...TEST_LIMITS, firstByteTimeoutMs: 600_000 },
  front: front({ path: '/run/x/alice.sock', user: 'alice' }, { path: '/run/x/all.sock' }),
  apps: { roots: ['/home/{user}/public_html/{app}'], vhosts: '/etc/hosts.d', prestart: [] },
});
const asShipped = testConfig({
  front: front({ path: '/run/usherd/front/front.sock' }),
  apps: { roots: ['/srv/{user}/apps/{app}'], vhosts: '/srv/vhosts', prestart: [] },
});

test('the status page has the socket and the token of this machine', () => {
  const config = testConfig({
    ...{ front: elsewhere.front, apps: elsewhere.apps },
    paths: { run: '/run/x', log: '/var/log/x', state: '/var/lib/x' },
  });
  const apache = fitApache(config, shipped('apache/usherd-status.conf'));
  assert.match(apache.text, /SetHandler "proxy:unix:\/run\/x\/all\.sock\|fcgi:\/\/usherd"/);
  assert.match(apache.text, /IncludeOptional "\/var\/lib\/x\/tokens\/apache\/@status\.in\[c\]"/);
  const nginx = fitNginx(config, shipped('nginx/usherd-status.conf'));
  assert.match(nginx.text, /fastcgi_pass unix:\/run\/x\/all\.sock;/);
  assert.match(nginx.text, /include \/var\/lib\/x\/tokens\/nginx\/@status\.conf;/);
});

test('nginx waits as long as somebody’s application may take', () => {
  const waits = /fastcgi_send_timeout (\d+s);\s+fastcgi_read_timeout (\d+s);/;
  for (const [config, value] of [
    [elsewhere, '630s'],
    [asShipped, '330s'],
  ] as const) {
    const [, send, read] =
      waits.exec(fitNginx(config, shipped('nginx/usherd-params.conf')).text) ?? [];
    assert.deepEqual([send, read], [value, value]);
  }
});

describe('the configuration of Apache', () => {
  test('is the shipped file behind definitions, which it takes', () => {
    const { text, complaints } = fitApache(elsewhere, shipped('apache/usherd.conf'));
    const lines = text.split('\n').slice(0, 6);
    assert.deepEqual(lines, [
      'Define USHERD_SOCKET "/run/x/all.sock"',
      'Define USHERD_ROOT "/home"',
      'Define USHERD_APPS "/public_html"',
      'Define USHERD_TOKENS "/var/lib/usherd/tokens/apache"',
      'Define USHERD_VHOSTS "/etc/hosts.d"',
      'Define USHERD_TIMEOUT "630"',
    ]);
    for (const line of lines) {
      const [, name = ''] = line.split(' ');
      assert.ok(text.includes(`<IfDefine !${name}>`), name);
    }
    assert.deepEqual(complaints, []);
  });

  test('of an authorizer has the first address, and is nothing where there is none', () => {
    const file = shipped('apache/usherd-authorizer.conf');
    const authorizers = [{ host: '::1', port: 602, application: 'alice/gate' }];
    const config = testConfig({ front: { ...front(), authorizers } });
    const { text, complaints } = fitApache(config, file);
    assert.ok(text.startsWith('Define USHERD_AUTHORIZER "[::1]:602"\n'), text.slice(0, 60));
    assert.ok(text.endsWith(file));
    assert.deepEqual(complaints, []);
    const without = fitApache(asShipped, file);
    assert.equal(without.text, '');
    assert.match(without.complaints.join(), /authorizers/);
  });
});

describe('the configuration of nginx', () => {
  const files = readdirSync(join(SHIPPED, 'nginx'));

  test('is the shipped one where nobody changed anything', () => {
    for (const file of files) {
      const text = shipped(`nginx/${file}`);
      assert.equal(fitNginx(asShipped, text).text, text, file);
    }
  });

  test('has this machine’s values everywhere', () => {
    const all = files.map((file) => fitNginx(elsewhere, shipped(`nginx/${file}`)).text).join('\n');
    const told = all.replace(/#.*$/gm, '');
    assert.doesNotMatch(told, /\/run\/usherd|\/srv\/vhosts|\/srv\/\$|\/apps\/\(/);
    assert.match(told, /set \$usherd_root \/home\/\$usherd_user\/public_html\/\$usherd_app;/);
    assert.match(told, /unix:\/run\/x\/all\.sock/);
    assert.match(told, /\/etc\/hosts\.d\/\$host/);
  });
});

test('a root that the text cannot say is complained about', () => {
  for (const root of ['/srv/{app}/{user}', '/srv/{user}/{app}/htdocs', '/srv/a.b/{user}/{app}']) {
    const config = testConfig({ ...asShipped, apps: { roots: [root], vhosts: '', prestart: [] } });
    const { text, complaints } = fitApache(config, 'x');
    assert.equal(text, '', root);
    assert.equal(complaints.length, 1, root);
  }
  const two = {
    roots: ['/srv/{user}/apps/{app}', '/home/{user}/www/{app}'],
    vhosts: '',
    prestart: [],
  };
  assert.equal(fitApache(testConfig({ ...asShipped, apps: two }), 'x').complaints.length, 1);
});

test('the commands know every shipped file', async () => {
  for (const server of ['apache', 'nginx']) {
    const [{ summary } = { summary: '' }] = await commandsFor(`${server}-config`);
    for (const file of readdirSync(join(SHIPPED, server))) {
      assert.ok(summary.includes(file), `${server}: ${file}`);
    }
  }
});
