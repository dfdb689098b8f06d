// A router without a descriptor left: it cannot reach a worker, and the workers are not to blame for it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import { afterEach, test } from 'node:test';
import type { FakeWorkerOptions } from '../../support/fake-worker.js';
import { appParams, RouterRig } from '../../support/router-rig.js';

let rig: RouterRig | undefined;
afterEach(async () => {
  await rig?.stop();
  rig = undefined;
});

/** Says so as soon as anything is asked, whatever it is. */
const says = (answer: string): FakeWorkerOptions => ({
  server: net.createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(answer));
  }),
});

const WORKERS: Readonly<Record<'fastcgi' | 'scgi' | 'http', () => FakeWorkerOptions>> = {
  fastcgi: () => ({ onRequest: (request) => request.reply('Content-Type: text/plain\r\n\r\nok') }),
  scgi: () => says('Content-Type: text/plain\r\n\r\nok'),
  http: () => says('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'),
};

/** Enough for the pipes and the loop of a child: the limit is set back by one, once these are closed. */
const FREED_MIN = 64;

const limitTo = (soft: string): void =>
  void execFileSync('prlimit', ['--pid', String(process.pid), `--nofile=${soft}:`]);

const softLimit = (): string =>
  /^Max open files +(\S+)/m.exec(fs.readFileSync('/proc/self/limits', 'latin1'))?.[1] ?? '';

function openAll(opened: number[]): void {
  try {
    for (;;) opened.push(fs.openSync('/dev/null', 'r'));
  } catch (err) {
    assert.equal((err as NodeJS.ErrnoException).code, 'EMFILE');
  }
}

/** New descriptors are the lowest free ones: with none free below the limit there is no other. */
async function withoutDescriptors(act: () => Promise<void>): Promise<void> {
  const before = softLimit();
  const opened: number[] = [];
  const open = Math.max(...fs.readdirSync('/proc/self/fd').map(Number));
  while ((opened.at(-1) ?? 0) < open || opened.length < FREED_MIN)
    opened.push(fs.openSync('/dev/null', 'r'));
  limitTo(String((opened.at(-1) ?? 0) + 1));
  try {
    // The ends of connections that were closed just now become free in the next turns.
    for (let turn = 0; turn < 50; turn += 1) {
      openAll(opened);
      await new Promise((done) => setImmediate(done));
    }
    await act();
  } finally {
    for (const fd of opened.splice(0)) fs.closeSync(fd);
    limitTo(before);
  }
}

for (const protocol of ['fastcgi', 'scgi', 'http'] as const)
  test(`${protocol}: the client is told, and no worker pays for it`, async () => {
    const app = { worker: WORKERS[protocol](), protocol };
    rig = await RouterRig.start({ apps: { 'alice/blog': app } });
    const front = await rig.front();
    const { supervisor } = rig;
    assert.equal((await front.fetch(appParams('alice/blog'))).status, 200);
    await withoutDescriptors(async () => {
      for (const method of ['GET', 'POST']) {
        const answer = await front.fetch(appParams('alice/blog', '/', { REQUEST_METHOD: method }));
        assert.equal(answer.headers.get('x-usherd-reason'), 'no-descriptor', method);
        assert.equal(answer.status, 503);
      }
    });
    assert.equal((await front.fetch(appParams('alice/blog'))).status, 200);
    assert.equal(supervisor.needs.length, 1, 'the same worker');
    assert.ok(!supervisor.received.some(({ type }) => type === 'retire'));
  });
