// What of a worker's header block reaches the browser, through each web server, and at the limits of each.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { LIMITS } from '../../src/limits.js';
import { absence, FrontRig } from '../support/fronts/front-rig.js';
import { FRONT_NAMES, type FrontName } from '../support/fronts/front.js';
import type { HttpAnswer } from '../support/fronts/http-client.js';
import { RESPONDER, WHOLE } from '../support/fronts/responder.js';

let rig: FrontRig;
before(async () => {
  rig = await FrontRig.start({ worker: RESPONDER });
});
after(() => rig.stop());

const ask = async (name: FrontName, query: string, method = 'GET'): Promise<HttpAnswer> => {
  const front = rig.front(name);
  const answer = await front.request({ path: `/~alice/apps/tool/x?${query}`, method });
  assert.ok(front.isAlive, `${name} is gone:\n${front.log()}`);
  return answer;
};
const raw = (name: FrontName, text: string, method = 'GET'): Promise<HttpAnswer> =>
  ask(name, `mode=raw&text=${Buffer.from(text, 'latin1').toString('base64url')}`, method);

const STATUSES = [
  ...[200, 201, 202, 206, 301, 302, 303, 307, 308, 400, 401, 403, 404, 409, 410, 418, 422, 429],
  ...[500, 501, 502, 503, 504],
];

for (const name of FRONT_NAMES) {
  describe(name, { skip: absence(name), concurrency: 4 }, () => {
    for (const location of ['', 'Location: /elsewhere\r\n']) {
      test(`statuses ${location === '' ? 'alone' : 'beside a Location'} arrive as they are`, async () => {
        for (const status of STATUSES) {
          const text = `${location}Status: ${status} As It Is\r\nContent-Type: text/plain\r\n\r\nbody`;
          const answer = await raw(name, text);
          assert.equal(answer.status, status);
          assert.equal(answer.body.toString(), 'body');
          assert.equal(
            answer.headers.get('location')?.[0]?.endsWith('/elsewhere'),
            location === '' ? undefined : true,
          );
        }
      });
    }

    test('a Location without a status is a 302', async () => {
      for (const location of ['/elsewhere', 'https://example.test/']) {
        const answer = await raw(name, `Location: ${location}\r\n\r\n`);
        assert.equal(answer.status, 302);
        assert.ok(answer.headers.get('location')?.[0]?.endsWith(location));
      }
    });

    test('every Set-Cookie arrives', async () => {
      const answer = await raw(name, 'Set-Cookie: a=1\nSet-Cookie: b=2\nContent-Type: a/b\n\n');
      assert.deepEqual(answer.headers.get('set-cookie'), ['a=1', 'b=2']);
    });

    test('the longest header line arrives, and one byte more is a 502', async () => {
      const longest = LIMITS.responseHeadLineMaxBytes;
      const answer = await ask(name, `mode=line&bytes=${longest}`);
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get('x-long')?.[0]?.length, longest - 'X-Long: '.length);
      assert.equal(answer.body.toString(), WHOLE);
      assert.equal((await ask(name, `mode=line&bytes=${longest + 1}`)).status, 502);
    });

    test('the most header lines arrive, and one more is a 502', async () => {
      const most = LIMITS.responseHeadLinesMaxCount;
      const answer = await ask(name, `mode=headers&count=${most}`);
      assert.equal(answer.status, 200);
      assert.deepEqual(answer.headers.get('x-h0'), ['0']);
      assert.equal((await ask(name, `mode=headers&count=${most + 1}`)).status, 502);
    });

    test('204 and 304 have no body, and neither has the answer to HEAD', async () => {
      for (const status of [204, 304]) {
        const answer = await raw(name, `Status: ${status}\r\n\r\nnobody should see this`);
        assert.equal(answer.status, status);
        assert.equal(answer.body.length, 0);
      }
      const answer = await raw(name, 'Content-Type: text/plain\r\n\r\nbody', 'HEAD');
      assert.equal(answer.status, 200);
      assert.equal(answer.body.length, 0);
      assert.ok(answer.isComplete);
    });

    test('a small answer has its length, and HEAD the one that the program says', async () => {
      const text = 'Content-Type: text/plain\r\n\r\n';
      const whole = await raw(name, `${text}body`);
      assert.deepEqual(whole.headers.get('content-length'), ['4']);
      const head = await raw(name, `Content-Length: 1234567\r\n${text}`, 'HEAD');
      assert.deepEqual(head.headers.get('content-length'), ['1234567']);
    });

    test('bytes beyond the Content-Length are dropped', async () => {
      const answer = await raw(
        name,
        'Content-Length: 4\r\nContent-Type: text/plain\r\n\r\nbodyMORE',
      );
      assert.equal(answer.body.toString(), 'body');
      assert.ok(answer.isComplete);
    });

    test('chunked framing of a worker is taken off', async () => {
      const answer = await raw(
        name,
        'Transfer-Encoding: chunked\r\nContent-Type: a/b\r\n\r\nplain',
      );
      assert.equal(answer.body.toString(), 'plain');
    });
  });
}
