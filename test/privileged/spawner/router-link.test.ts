// A router that is hostile, broken, replaced or gone; root goes on, and gives away nothing.
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { encodeFrame, IPC_PROTOCOL } from '../../../src/ipc/index.js';
import { connected, FakeRouter } from '../../support/fake-router.js';
import { SupervisorHost, UID } from '../../support/supervisor-host.js';
import { waitFor } from '../../support/wait-for.js';

const skip = process.getuid?.() === 0 ? false : 'needs root';
const HELLO = encodeFrame({ type: 'hello', protocol: IPC_PROTOCOL });

function framed(text: string): Buffer {
  const content = Buffer.from(text);
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32BE(content.length);
  return Buffer.concat([prefix, content]);
}

describe('the router link', { skip }, () => {
  let host: SupervisorHost;

  beforeEach(async () => {
    host = new SupervisorHost({ maxWorkers: 8 });
    await host.start();
  });
  afterEach(async () => {
    await host.close();
  });

  const raw = async (...frames: Buffer[]): Promise<Socket> => {
    const socket = await connected(host.path('supervisor.sock'));
    socket.resume();
    for (const frame of frames) socket.write(frame);
    return socket;
  };

  const hostile: readonly (readonly [string, readonly Buffer[]])[] = [
    ['asks before it greets', [encodeFrame({ type: 'check', app: 'alice/app' })]],
    ['greets twice', [HELLO, HELLO]],
    ['greets in another version', [encodeFrame({ type: 'hello', protocol: IPC_PROTOCOL + 1 })]],
    ['announces 4 GiB', [HELLO, Buffer.from([0xff, 0xff, 0xff, 0xff])]],
    ['announces nothing', [HELLO, Buffer.alloc(4)]],
    ['sends no JSON', [HELLO, framed('need alice/app')]],
    ['sends deep JSON', [HELLO, framed('['.repeat(4_096))]],
    ['sends deep valid JSON', [HELLO, framed('['.repeat(2_048) + ']'.repeat(2_048))]],
    ['sends an unknown message', [HELLO, framed('{"type":"exec","argv":["id"]}')]],
    [
      'names a path',
      [HELLO, framed('{"type":"need","ticket":1,"app":"alice/../bob","runtime":""}')],
    ],
    ...['uid', 'argv', 'cwd', 'env', 'limits', '__proto__'].map(
      (key) =>
        [
          `adds the key ${key}`,
          [HELLO, framed(`{"type":"need","ticket":1,"app":"alice/app","runtime":"","${key}":0}`)],
        ] as const,
    ),
    ['retires by pid', [HELLO, framed('{"type":"retire","worker":"1","reason":"idle"}')]],
  ];
  it('is ended by whatever is not in the list, and the next router is served (T115)', async () => {
    host.makeApp('alice', 'app', 'sleeps');
    for (const [what, frames] of hostile) {
      const socket = await raw(...frames);
      await waitFor(`the end of a router that ${what}`, () => socket.closed);
    }
    const router = await host.router();
    assert.equal((await router.need('alice/app')).type, 'spawned');
    const errors = host.log.filter(({ level }) => level === 'error').length;
    assert.ok(errors > 0 && errors <= 12, `${errors} lines for ${hostile.length} connections`);
    router.close();
  });

  it('tells a router of another version so, says in its log and status what to do, and serves the next', async () => {
    const socket = await connected(host.path('supervisor.sock'));
    let heard = '';
    socket.setEncoding('utf8').on('data', (text: string) => (heard += text));
    socket.write(encodeFrame({ type: 'hello', protocol: IPC_PROTOCOL - 1 }));
    await waitFor('the end', () => socket.closed);
    assert.ok(heard.endsWith(`{"type":"foreign","protocol":${IPC_PROTOCOL}}`), heard);
    const line = await waitFor('a line', () =>
      host.log.find(({ errorCode }) => errorCode === 'E_MONITOR_VERSION'),
    );
    assert.match(JSON.stringify(line), /systemctl restart usherd/);
    const foreign = async (): Promise<unknown> => {
      const { result } = await host.control({ command: 'status' });
      return (result as { router: { foreignProtocol: number } }).router.foreignProtocol;
    };
    assert.equal(await foreign(), IPC_PROTOCOL - 1);
    const router = await host.router();
    assert.equal(await foreign(), 0);
    router.close();
  });

  it('is refused while there is one, which notices nothing (T110)', async () => {
    const first = await host.router();
    const second = await raw(HELLO);
    await waitFor('the second to be refused', () => second.closed);
    assert.ok(first.isOpen);
    first.close();
    const third = await waitFor('a place', () =>
      FakeRouter.connect(host.path('supervisor.sock')).catch(() => undefined),
    );
    third.close();
  });

  it('is not kept by somebody who never greets (T115)', async () => {
    const silent = await raw();
    await waitFor('the silent one to be shown out', () => silent.closed, 5_000);
    (await host.router()).close();
  });

  it('keeps workers when the router goes, and tells the next one of them with their facts', async () => {
    host.makeApp('alice', 'app', 'sleeps');
    const first = await host.router();
    const { worker, pid } = await first.spawn('alice/app');
    first.close();
    const second = await waitFor('the next router', () => host.router().catch(() => undefined));
    const types = second.heard.map(({ type }) => type);
    assert.deepEqual(types, ['welcome', 'facts', 'living', 'settled']);
    const [living] = second.of('living');
    assert.deepEqual([living?.worker, living?.pid], [worker, pid]);
    second.send({ type: 'retire', worker, reason: 'shutdown' });
    assert.equal((await second.hear('exited')).worker, worker);
    second.close();
  });

  it('hands the worker of a router that left to its successor', async () => {
    host.makeApp('alice', 'app', 'sleeps');
    const first = await host.router();
    first.ask('alice/app');
    await waitFor('the launch', () => host.sink.connections.length > 0);
    first.close();
    const second = await waitFor('the next router', () => host.router().catch(() => undefined));
    const { app } = await second.hear('living');
    assert.equal(app, 'alice/app');
    assert.equal(second.of('spawned').length, 0);
    second.close();
  });

  it('stays within every limit when asked for everything of everybody (T116)', async () => {
    for (const tenant of ['alice', 'bob'] as const) {
      for (let index = 0; index < 3; index += 1) host.makeApp(tenant, `app${index}`, 'sleeps');
    }
    const router = await host.router();
    for (let round = 0; round < 300; round += 1) {
      for (const user of ['alice', 'bob', 'carol', 'root', 'daemon']) {
        router.ask(`${user}/app${round % 4}`);
      }
    }
    await waitFor(
      'every answer',
      () => router.of('spawned').length + router.of('refused').length === 1_500,
    );
    const uids = new Set(
      router.of('spawned').map(({ pid }) => {
        return /^Uid:\t([0-9]+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
      }),
    );
    assert.deepEqual([...uids].sort(), [String(UID.alice), String(UID.bob)]);
    // 8 in all; the last is kept for users who have none, and there is nobody else.
    assert.equal(router.of('spawned').length, 7);
    const codes = new Set(router.of('refused').map(({ code }) => code));
    assert.deepEqual([...codes].sort(), ['E_ACCESS_REFUSED', 'E_APP_UNKNOWN', 'E_SPAWN_LIMIT']);
    router.close();
  });

  it('costs neither memory nor time when it asks 100 000 times (T16, T115, T116)', async () => {
    const router = await host.router();
    await router.need('root/app');
    const rssBefore = host.rssBytes;
    for (let count = 0; count < 100_000; count += 1) {
      router.ask('root/app');
      if (count % 1_000 === 0) await waitFor('answers', () => router.heard.length > count - 1_000);
    }
    const answered = (): boolean => router.heard.length > 100_000;
    await waitFor('every answer', answered, 60_000);
    const startedAtMs = performance.now();
    await host.control({ command: 'ping' });
    assert.ok(performance.now() - startedAtMs < 250, 'the control socket answers at once');
    assert.ok(
      host.rssBytes - rssBefore < 40 * 1024 * 1024,
      `${host.rssBytes} bytes, before ${rssBefore}`,
    );
    router.close();
  });

  it('does not reach the worker of another user by a made-up id (T115)', async () => {
    host.makeApp('bob', 'app', 'sleeps');
    const router = await host.router();
    const { pid } = await router.spawn('bob/app');
    router.send({ type: 'retire', worker: '0123456789abcdef', reason: 'idle' });
    await host.control({ command: 'ping' });
    assert.deepEqual(host.processesOf(UID.bob), [pid]);
    assert.ok(router.isOpen, 'an id that is not there any more is no offence');
    router.close();
  });
});
