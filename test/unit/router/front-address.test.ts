// The inherited socket of an authorizer is the configured one, or the router does not start.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { test, type TestContext } from 'node:test';
import { assertAddress, cannotBind, isFromThisMachine } from '../../../src/router/front-address.js';

const APPLICATION = 'alice/gate';

async function listening(t: TestContext, host: string): Promise<[net.Server, number]> {
  const server = net.createServer().listen(0, host);
  t.after(() => server.close());
  await once(server, 'listening');
  return [server, (server.address() as net.AddressInfo).port];
}

const refused = { code: 'E_STARTUP_SOCKET' };

test('the configured address is taken', async (t) => {
  const [server, port] = await listening(t, '127.0.0.1');
  assertAddress(server, { host: '127.0.0.1', port, application: APPLICATION });
});

test('every address, another address, another port and no address are refused', async (t) => {
  const [wide, widePort] = await listening(t, '0.0.0.0');
  const wanted = { host: '127.0.0.1', application: APPLICATION };
  assert.throws(() => assertAddress(wide, { ...wanted, port: widePort }), refused);
  const [other, port] = await listening(t, '127.0.0.2');
  assert.throws(() => assertAddress(other, { ...wanted, port }), refused);
  assert.throws(() => assertAddress(other, { ...wanted, host: '127.0.0.2', port: 1 }), refused);
  assert.throws(() => assertAddress(net.createServer(), { ...wanted, port }), refused);
});

test('a port that is root’s is explained', () => {
  const address = { host: '::1', port: 601, application: APPLICATION };
  const denied = Object.assign(new Error('bind'), { code: 'EACCES' });
  assert.match(cannotBind(address, denied).message, /\[::1\]:601: only root.*usherd\.socket/);
  assert.match(cannotBind(address, new Error('EADDRINUSE')).message, /EADDRINUSE/);
});

test('connections that are not from a loopback address are foreign', () => {
  const from = (remoteAddress: string | undefined): boolean =>
    isFromThisMachine(remoteAddress === undefined ? {} : { remoteAddress });
  for (const host of ['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1']) assert.ok(from(host));
  for (const host of [undefined, '', '10.0.0.1', '::ffff:10.0.0.1', '1127.0.0.1', '::11']) {
    assert.ok(!from(host), host);
  }
});
