// A worker that has all of a large body, and takes its time to answer, keeps none of the memory that bodies pass through.
import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import { afterEach, describe, test } from 'node:test';
import type { FakeApp } from '../../support/fake-supervisor.js';
import { appParams, RouterRig } from '../../support/router-rig.js';
import { waitFor } from '../../support/wait-for.js';

let rig: RouterRig | undefined;
afterEach(async () => {
  await rig?.stop();
  rig = undefined;
});

const BODY = Buffer.alloc(3_000_000, 'body');
const TEXT = 'Content-Type: text/plain\r\n\r\n';
/** What a worker does when it has the body: answers later. */
type Hold = (answer: () => void) => void;

const fastcgi = (hold: Hold): FakeApp => ({
  worker: { onRequest: (request) => hold(() => request.reply(`${TEXT}${request.body.length}`)) },
});

function scgi(hold: Hold): FakeApp {
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    let bytesCount = 0;
    socket.on('data', ({ length }) => {
      const before = bytesCount;
      bytesCount += length;
      const isWhole = before < BODY.length && bytesCount >= BODY.length;
      if (isWhole) hold(() => socket.end(`${TEXT}${BODY.length}`));
    });
  });
  return { protocol: 'scgi', worker: { server } };
}

function overHttp(hold: Hold): FakeApp {
  const server = http.createServer((request, response) => {
    let bytesCount = 0;
    request.on('data', ({ length }: Buffer) => (bytesCount += length));
    request.on('end', () => hold(() => response.end(String(bytesCount))));
  });
  return { protocol: 'http', worker: { server } };
}

describe('a large body that its worker has', () => {
  for (const [protocol, appOf] of Object.entries({ fastcgi, scgi, http: overHttp })) {
    test(`holds no block while the answer of a worker that speaks ${protocol} is waited for`, async () => {
      let answer: (() => void) | undefined;
      const app = appOf((it) => (answer = it));
      rig = await RouterRig.start({ apps: { 'alice/blog': app } });
      const front = await rig.front();
      const params = appParams('alice/blog', '/', { REQUEST_METHOD: 'POST' });
      const fetched = front.fetch(params, BODY);
      await waitFor('the worker to have it', () => answer !== undefined);
      const { spoolBudget } = rig.router;
      await waitFor('the blocks', () => spoolBudget.pendingBytes === 0);
      assert.ok(spoolBudget.diskBytes >= BODY.length);
      answer?.();
      assert.equal((await fetched).body.toString(), String(BODY.length));
    });
  }
});
