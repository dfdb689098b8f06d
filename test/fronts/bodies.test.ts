// Bodies of requests through each web server: whole and with their length, however they come, and answers that come before their end.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FakeWorkerOptions } from '../support/fake-worker.js';
import { absence, FrontRig } from '../support/fronts/front-rig.js';
import { FRONT_NAMES, type FrontName } from '../support/fronts/front.js';
import type { HttpAnswer } from '../support/fronts/http-client.js';
import { waitFor } from '../support/wait-for.js';

const SMALL_MAX_BYTES = 100_000;
const sum = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

let asked = 0;
let rig: FrontRig;
before(async () => {
  const worker = {
    onRequest: (request) => {
      const { params, body } = request;
      asked += 1;
      const names = ['CONTENT_LENGTH', 'HTTP_EXPECT', 'HTTP_TRANSFER_ENCODING'];
      const told = names.map((name) => params.get(name) ?? '-').join(' ');
      request.reply(`Content-Type: text/plain\r\n\r\n${told} ${sum(body)}`);
    },
  } satisfies FakeWorkerOptions;
  const limits = { maxBodyBytes: SMALL_MAX_BYTES };
  rig = await FrontRig.start({ worker, apps: { 'alice/small': { worker, facts: { limits } } } });
});
after(() => rig.stop());

async function* inParts(body: Buffer, pauseMs = 0): AsyncGenerator<Buffer> {
  for (let at = 0; at < body.length; at += 50_000) {
    yield body.subarray(at, at + 50_000);
    if (pauseMs > 0) await sleep(pauseMs);
  }
}

const bytesOf = (count: number): Buffer =>
  Buffer.from(Array.from({ length: count }, (_, i) => i % 251));

/** HAProxy wants all of a chunked body in its buffer of 16 KiB. */
const chunkedMaxBytes = (name: FrontName): number => (name === 'haproxy' ? 10_000 : Infinity);

for (const name of FRONT_NAMES) {
  describe(name, { skip: absence(name) }, () => {
    const path = '/~alice/apps/tool/x';
    const post = (more: {
      readonly body: Buffer | AsyncIterable<Buffer>;
      readonly path?: string;
      readonly headers?: http.OutgoingHttpHeaders;
    }): Promise<HttpAnswer> => rig.front(name).request({ path, method: 'POST', ...more });

    for (const count of [1, 8_192, 65_537, 3_000_000]) {
      test(`${count} bytes with their length`, async () => {
        const body = bytesOf(count);
        const answer = await post({ body });
        assert.equal(answer.body.toString(), `${count} - - ${sum(body)}`);
      });

      test(`${count} bytes in chunks`, async () => {
        const body = bytesOf(count);
        const asking = post({ body: inParts(body) });
        if (count > chunkedMaxBytes(name)) {
          // It does not read the rest: who still sends may see nothing of the answer.
          const answer = await asking.catch(() => undefined);
          assert.ok(answer === undefined || answer.status === 400, `${answer?.status}`);
          return;
        }
        const answer = await asking;
        assert.equal(answer.body.toString(), `${count} - - ${sum(body)}`);
      });
    }

    test('no body at all', async () => {
      const answer = await post({ body: Buffer.alloc(0) });
      assert.match(answer.body.toString(), /^(?:0|-) - - e3b0c44298fc1c14/);
    });

    test('a client that waits for 100 Continue gets it, and no program hears of it', async () => {
      const body = bytesOf(200_000);
      const outgoing = http.request({
        host: '127.0.0.1',
        port: rig.front(name).port,
        path,
        method: 'POST',
        headers: { Host: 'localhost', 'Content-Length': body.length, Expect: '100-continue' },
        agent: false,
      });
      outgoing.flushHeaders();
      await once(outgoing, 'continue');
      outgoing.end(body);
      const [incoming] = (await once(outgoing, 'response')) as [http.IncomingMessage];
      const text = Buffer.concat(await incoming.toArray()).toString();
      assert.equal(text, `${body.length} - - ${sum(body)}`);
    });

    test('an answer that comes in the middle of an upload arrives whole', async () => {
      // Until the router knows the application it does not know its limit either.
      assert.equal(
        (await post({ path: '/~alice/apps/small/x', body: Buffer.from('x') })).status,
        200,
      );
      const body = bytesOf(1_000_000);
      const headers = { 'Content-Length': body.length };
      const slow = inParts(body, 5);
      const answer = await post({ path: '/~alice/apps/small/x', body: slow, headers });
      assert.equal(answer.status, 413);
      assert.deepEqual(answer.headers.get('x-usherd-reason'), ['body-too-large']);
      assert.ok(answer.isComplete);
      assert.ok(rig.front(name).isAlive, rig.front(name).log());
    });

    test('a client that leaves in the middle of its upload has asked nobody', async () => {
      const before = asked;
      const outgoing = http.request({
        host: '127.0.0.1',
        port: rig.front(name).port,
        path,
        method: 'POST',
        headers: { Host: 'localhost', 'Content-Length': 1_000_000 },
        agent: false,
      });
      outgoing.on('error', () => undefined);
      outgoing.write(bytesOf(300_000));
      await sleep(200);
      outgoing.destroy();
      await waitFor('no request', () => rig.router.router.counters.requestsActive === 0, 30_000);
      assert.equal(asked, before);
      assert.equal((await post({ body: Buffer.from('next') })).status, 200);
    });
  });
}
