// `connect`: a program that usherd did not start. Its socket has to be the user's own, and the one that was looked at.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { connectOwned } from '../../../src/router/owned-socket.js';
import type { Exchange, ExchangeSink } from '../../../src/router/protocols/exchange.js';
import { FakeWorker } from '../../support/fake-worker.js';
import { appParams, RouterRig } from '../../support/router-rig.js';
import { waitFor } from '../../support/wait-for.js';

let directory = '';
let rig: RouterRig | undefined;
const programs: FakeWorker[] = [];
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'usherd-ext-'));
});
afterEach(async () => {
  await rig?.stop();
  rig = undefined;
  for (const program of programs.splice(0)) program.kill();
  fs.rmSync(directory, { recursive: true, force: true });
});

const OWN_UID = process.getuid?.() ?? 0;
const HEAD = 'Content-Type: text/plain\r\n\r\n';

async function program(name: string): Promise<string> {
  const one = new FakeWorker({ onRequest: (request) => request.reply(`${HEAD}${name}`) });
  programs.push(one);
  const socketPath = path.join(directory, name);
  await one.listen(socketPath);
  return socketPath;
}

test('requests go to the program behind the socket, and nobody retires what holds its place', async () => {
  const connect = path.join(directory, 'app.sock');
  rig = await RouterRig.start({ apps: { 'alice/ext': { connect, concurrency: 8 } } });
  const front = await rig.front();
  const away = await front.fetch(appParams('alice/ext'));
  assert.equal(away.status, 502, 'it is not there yet');
  await program('app.sock');
  const answer = await front.fetch(appParams('alice/ext'));
  assert.equal(answer.body.toString(), 'app.sock');
  programs[0]?.kill();
  fs.rmSync(connect, { force: true });
  assert.equal((await front.fetch(appParams('alice/ext'))).status, 502, 'it is gone');
  await program('app.sock');
  assert.equal((await front.fetch(appParams('alice/ext'))).status, 200, 'and there again');
  assert.deepEqual(
    rig.supervisor.received.filter(({ type }) => type === 'retire'),
    [],
  );
  assert.equal(rig.supervisor.needs.length, 1);
});

/** What becomes of an attempt: the path that is connected to, or why there is none. */
function attempt(target: string, uid: number): Promise<{ opened?: string; lost?: string }> {
  return new Promise((resolve) => {
    const sink = {
      lost: (_kind: string, detail: string) => resolve({ lost: detail }),
    } as unknown as ExchangeSink;
    connectOwned({ path: target, uid }, sink, (opened) => {
      resolve({ opened: fs.realpathSync(opened) });
      return {} as Exchange;
    });
  });
}

test('a socket of somebody else, a link to one, a file and nothing at all lead nowhere', async () => {
  const own = await program('own.sock');
  assert.deepEqual(await attempt(own, OWN_UID), { opened: own });
  assert.ok((await attempt(own, OWN_UID + 1)).lost, 'it belongs to somebody else');
  const link = path.join(directory, 'link.sock');
  fs.symlinkSync(own, link);
  assert.ok(
    (await attempt(link, OWN_UID)).lost,
    'a link could lead anywhere by the time it is used',
  );
  const file = path.join(directory, 'file');
  fs.writeFileSync(file, '');
  assert.ok((await attempt(file, OWN_UID)).lost);
  assert.ok((await attempt(path.join(directory, 'nothing'), OWN_UID)).lost);
});

test('the socket that was looked at is the one that is connected to, whatever the name leads to by then', async () => {
  const first = await program('a.sock');
  await program('b.sock');
  rig = await RouterRig.start({ apps: { 'alice/ext': { connect: first } } });
  const front = await rig.front();
  await front.fetch(appParams('alice/ext'));
  // Two names change places as fast as they can, while requests come; each answer is from one of the two, and whole.
  const over = new AbortController();
  const swap = (async (): Promise<void> => {
    while (!over.signal.aborted) {
      fs.renameSync(first, path.join(directory, 'c.sock'));
      fs.renameSync(path.join(directory, 'b.sock'), first);
      fs.renameSync(path.join(directory, 'c.sock'), path.join(directory, 'b.sock'));
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  for (let i = 0; i < 100; i += 1) {
    const { status, body } = await front.fetch(appParams('alice/ext'));
    assert.ok(status === 200 && /^[ab]\.sock$/.test(body.toString()), `${status}`);
  }
  over.abort();
  await swap;
});

test('applications that are to be there at the start are asked for without a request', async () => {
  rig = await RouterRig.start({
    prestart: ['alice/static'],
    apps: { 'alice/static': { facts: { limits: { minWorkers: 3 } } } },
  });
  const { supervisor } = rig;
  await waitFor('as many workers as are to be kept', () => supervisor.running.size >= 3);
  assert.equal(supervisor.needs.length, 3, 'and no more');
});

test('a worker that holds too much memory is replaced, but not before its request is answered', async () => {
  const held: (() => void)[] = [];
  rig = await RouterRig.start({
    apps: {
      'alice/leak': { worker: { onRequest: (one) => held.push(() => one.reply(`${HEAD}whole`)) } },
    },
  });
  const { supervisor } = rig;
  const front = await rig.front();
  front.send(1, appParams('alice/leak'));
  await waitFor('the request at the worker', () => held.length === 1);
  const [worker = ''] = supervisor.running.keys();
  supervisor.send({ type: 'leaving', worker, reason: 'memory' });
  supervisor.send({ type: 'leaving', worker: 'f'.repeat(16), reason: 'memory' });
  const isRetired = (): boolean =>
    supervisor.received.some((it) => it.type === 'retire' && it.reason === 'memory');
  front.send(2, appParams('alice/leak'));
  await waitFor('a second worker for the next request', () => held.length === 2);
  assert.equal(isRetired(), false);
  held.forEach((reply) => reply());
  await front.ended(1);
  await waitFor('the worker retired', isRetired);
});
