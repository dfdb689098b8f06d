// Front sockets that systemd has opened (sd_listen_fds(3)): taken in their order, and an address only if it is the configured one.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { linkSync, mkdirSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Role } from '../../../src/fcgi-protocol/index.js';
import { FakeSupervisor } from '../../support/fake-supervisor.js';
import { FrontClient, parseCgi } from '../../support/front-client.js';
import { appParams } from '../../support/router-rig.js';
import { scratchDirectory } from '../../support/scratch.js';
import { waitFor } from '../../support/wait-for.js';

const PROGRAM = fileURLToPath(
  new URL('../../fixtures/services/inherited-router.js', import.meta.url),
);

/** Listening, and not yet anybody's. */
async function opened(where: net.ListenOptions): Promise<net.Server> {
  const server = net.createServer();
  server.listen(where);
  await once(server, 'listening');
  return server;
}

const fdOf = (server: net.Server): number =>
  (server as unknown as { readonly _handle: { readonly fd: number } })._handle.fd;

interface Started {
  readonly child: ChildProcess;
  readonly said: () => string;
}

/** Starts the router with these sockets on descriptors 3 and 4; they are its own then. */
function start(
  t: TestContext,
  directory: string,
  servers: readonly net.Server[],
  port: number,
): Started {
  // LISTEN_PID is the number of the process that exec makes a router of.
  const command = 'LISTEN_PID=$$ exec "$0" "$@"';
  const args = ['-c', command, process.execPath, PROGRAM, directory, String(port)];
  let said = '';
  const child = spawn('/bin/sh', args, {
    env: { LISTEN_FDS: String(servers.length) },
    stdio: ['ignore', 'ignore', 'pipe', ...servers.map(fdOf)],
  });
  for (const server of servers) server.close();
  child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  t.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  return { child, said: () => said };
}

async function ground(t: TestContext): Promise<string> {
  const directory = scratchDirectory(t);
  for (const name of ['run/front', 'run/worker', 'run/router', 'log', 'state/spool']) {
    mkdirSync(join(directory, name), { recursive: true, mode: 0o700 });
  }
  const supervisor = new FakeSupervisor(join(directory, 'run'));
  const worker = { onRequest: (it: { reply(text: string): void }) => it.reply('Status: 200\n\n') };
  supervisor.apps.set('alice/gate', { worker, facts: { roles: ['authorizer'] } });
  supervisor.apps.set('alice/blog', { worker });
  await supervisor.listen();
  t.after(() => supervisor.close());
  return directory;
}

/** The server unlinks its socket's name when it is closed: it is bound under one, and served under another. */
const frontPath = (directory: string): string => join(directory, 'inherited.sock');

test('a front socket and the address of an authorizer are taken over', async (t) => {
  const directory = await ground(t);
  const unix = await opened({ path: frontPath(directory) });
  const tcp = await opened({ host: '127.0.0.1', port: 0 });
  const { port } = tcp.address() as net.AddressInfo;
  linkSync(frontPath(directory), `${frontPath(directory)}.kept`);
  const { said } = start(t, directory, [unix, tcp], port);
  const front = await waitFor('the front socket', () =>
    FrontClient.connect(`${frontPath(directory)}.kept`).catch(() => undefined),
  );
  assert.equal((await front.fetch(appParams('alice/blog'))).status, 200, said());
  front.close();
  const client = await FrontClient.connect({ host: '127.0.0.1', port });
  client.head(1, appParams('alice/blog'), false, Role.AUTHORIZER);
  assert.equal(parseCgi(await client.ended(1)).status, 200, said());
  client.close();
});

for (const [what, host, isSwapped] of [
  ['open to every network', '0.0.0.0', false],
  ['another one', '127.0.0.2', false],
  ['no TCP socket, because the order is wrong', '127.0.0.1', true],
] as const) {
  test(`an inherited address that is ${what} stops the start`, async (t) => {
    const directory = await ground(t);
    const unix = await opened({ path: frontPath(directory) });
    const tcp = await opened({ host, port: 0 });
    const { port } = tcp.address() as net.AddressInfo;
    const servers = isSwapped ? [tcp, unix] : [unix, tcp];
    const { child, said } = start(t, directory, servers, port);
    await once(child, 'exit');
    assert.notEqual(child.exitCode, 0);
    assert.match(said(), /the socket for the authorizer alice\/gate is .* and not 127\.0\.0\.1/);
  });
}
