// A client that leaves, whatever its worker speaks: the worker's connection is closed at once, and a slot is free when the worker is.
import assert from 'node:assert/strict';
import net from 'node:net';
import { afterEach, test } from 'node:test';
import { appParams, RouterRig } from '../../support/router-rig.js';
import { waitFor } from '../../support/wait-for.js';

let rig: RouterRig | undefined;
afterEach(async () => {
  await rig?.stop();
  rig = undefined;
});

const ANSWERS = {
  http: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok',
  scgi: 'Content-Type: text/plain\r\n\r\nok',
} as const;

for (const protocol of ['http', 'scgi'] as const) {
  for (const concurrency of [1, 4]) {
    test(`${protocol}, ${concurrency} at once: a silent worker loses its connection and serves the next`, async () => {
      let asked = 0;
      let closed = 0;
      const server = net.createServer((socket) => {
        socket.on('error', () => undefined);
        socket.once('data', () => {
          asked += 1;
          if (asked > 1) socket.end(ANSWERS[protocol]);
          else socket.once('close', () => (closed += 1));
        });
      });
      const limits = { maxWorkersPerApp: 1 };
      const app = { protocol, concurrency, worker: { server }, facts: { limits } };
      rig = await RouterRig.start({ apps: { 'alice/blog': app } });
      const leaving = await rig.connect();
      leaving.send(1, appParams('alice/blog'));
      await waitFor('the request at the worker', () => asked === 1);
      leaving.close();
      await waitFor('the end of its connection', () => closed === 1);
      const answer = await (await rig.front()).fetch(appParams('alice/blog'));
      assert.equal(answer.body.toString(), 'ok');
      assert.equal(rig.supervisor.needs.length, 1, 'by the same worker');
    });
  }
}
