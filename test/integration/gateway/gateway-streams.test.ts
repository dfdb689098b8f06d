// The gateway under pressure: slow sides, lost sides, too many.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';
import { LIMITS } from '../../../src/limits.js';
import { waitFor } from '../../support/wait-for.js';
import type { FakeBehaviour } from '../../support/fake-responder.js';
import { answerOf, ask, HELLO, noAgent, setUp } from '../../support/gateway-bench.js';

test('a large answer to a slow browser stops the responder instead of filling memory', async (t) => {
  let sent = 0;
  const total = 64 * 1024 * 1024;
  const { port } = await setUp(t, {
    onBody: (request) => {
      const chunk = Buffer.alloc(32 * 1024, 'x');
      const more = (): void => {
        while (sent < total) {
          sent += chunk.length;
          if (!request.output(chunk)) return void request.socket.once('drain', more);
        }
        request.end();
      };
      request.output('Content-Type: text/plain\r\n\r\n');
      more();
    },
  });
  const request = httpRequest({
    host: '127.0.0.1',
    port,
    path: '/~alice/apps/blog/',
    agent: noAgent,
  });
  request.end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  let before = -1;
  await waitFor('the responder is stopped', () => {
    const isStill = sent === before;
    before = sent;
    return isStill;
  });
  assert.ok(sent < total / 4, `${sent} bytes were taken although nobody read`);
  assert.equal((await answerOf(response)).text.length, total);
});

test('a large body to a slow responder stops the browser instead of filling memory', async (t) => {
  const { port, responder } = await setUp(t, {
    keepBody: false,
    onParams: (request) => request.socket.pause(),
    onBody: (request) => request.answer('X-A: 1\r\n\r\n'),
  });
  const total = 64 * 1024 * 1024;
  const chunk = Buffer.alloc(64 * 1024);
  const request = httpRequest({
    host: '127.0.0.1',
    port,
    path: '/~alice/apps/blog/',
    method: 'POST',
    agent: noAgent,
    headers: { 'Content-Length': total },
  });
  let sent = 0;
  const send = (): void => {
    while (sent < total) {
      sent += chunk.length;
      if (!request.write(chunk)) return void request.once('drain', send);
    }
    request.end();
  };
  const answered = once(request, 'response') as Promise<[IncomingMessage]>;
  send();
  let before = -1;
  await waitFor('the browser is stopped', () => {
    const isStill = sent === before;
    before = sent;
    return isStill && responder.requests.length === 1;
  });
  assert.ok(sent < total / 4, `${sent} bytes were taken although nobody read`);
  responder.requests[0]?.socket.resume();
  const [response] = await answered;
  assert.equal((await answerOf(response)).status, 200);
  assert.equal(responder.requests[0]?.bodyBytes, total);
});

test('a browser that leaves closes the connection to usherd', async (t) => {
  let closed = 0;
  const { port, responder } = await setUp(t, { onClose: () => (closed += 1) });
  const request = httpRequest({
    host: '127.0.0.1',
    port,
    path: '/~alice/apps/blog/',
    agent: noAgent,
  });
  request.on('error', () => undefined);
  request.end();
  await waitFor('the request is there', () => responder.requests.length === 1);
  request.destroy();
  await waitFor('the connection is closed', () => closed === 1);
});

test('a browser that leaves in mid-upload is an abort and never a short body', async (t) => {
  let closed = 0;
  const { port, responder } = await setUp(t, { onClose: () => (closed += 1) });
  const socket = connect(port, '127.0.0.1');
  socket.write('POST /~alice/apps/blog/ HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n12345');
  await waitFor('some of the body is there', () => responder.requests[0]?.bodyBytes === 5);
  socket.destroy();
  await waitFor('the connection is closed', () => closed === 1);
  assert.equal(responder.requests[0]?.bodyEnded, false);
});

test('an answer before the end of the upload is delivered', async (t) => {
  const { port } = await setUp(t, {
    onParams: (request) => request.answer('Status: 413\r\n\r\ntoo much'),
  });
  const answer = await ask(port, '/~alice/apps/blog/', {
    method: 'POST',
    body: 'x'.repeat(1_000_000),
  });
  assert.deepEqual([answer.status, answer.text], [413, 'too much']);
});

test('without usherd the answer is 503 and says how to start it', async (t) => {
  const { port, responder } = await setUp(t, HELLO);
  await responder.close();
  const answer = await ask(port, '/~alice/apps/blog/');
  assert.equal(answer.status, 503);
  assert.match(answer.text, /does not listen on .*front\.sock \(ENOENT\).*usherd run/);
  assert.equal(answer.headers['retry-after'], '2');
});

test('an end without an answer, a lost connection and a broken head are 502', async (t) => {
  const behaviours: FakeBehaviour[] = [
    { onBody: (request) => request.end() },
    { onBody: (request) => request.socket.destroy() },
    { onBody: (request) => request.answer('no head\r\n\r\n') },
    { onBody: (request) => request.answer('X-A: a\u0001b\r\n\r\n') },
    { onBody: (request) => void request.socket.write(Buffer.from('HTTP/1.1 200 OK\r\n\r\n')) },
  ];
  for (const behaviour of behaviours) {
    const { port } = await setUp(t, behaviour);
    assert.equal((await ask(port, '/~alice/apps/blog/')).status, 502);
  }
});

test('a connection lost in mid-answer cuts the answer, so that it does not look whole', async (t) => {
  const { port } = await setUp(t, {
    onBody: (request) => {
      request.output('Content-Type: text/plain\r\n\r\nhalf');
      request.socket.end();
    },
  });
  await assert.rejects(ask(port, '/~alice/apps/blog/'), { code: 'ECONNRESET' });
});

test('params over the limit of usherd are 431 and nothing is connected', async (t) => {
  const { port, responder } = await setUp(t, HELLO);
  const answer = await ask(port, `/~alice/apps/blog/?${'x'.repeat(70_000)}`);
  assert.ok(answer.status === 431 || answer.status === 414, String(answer.status));
  assert.equal(responder.requests.length, 0);
});

test('requests above the bound are refused at once, and the next one is served when there is room', async (t) => {
  const { port, responder } = await setUp(t, {});
  const open = Array.from({ length: LIMITS.gatewayRequestsMaxCount }, () =>
    ask(port, '/~a/apps/b/'),
  );
  await waitFor('all are open', () => responder.requests.length === open.length);
  assert.equal((await ask(port, '/~a/apps/b/')).status, 503);
  responder.requests[0]?.answer('X-A: 1\r\n\r\n');
  await Promise.race(open);
  const next = ask(port, '/~a/apps/b/');
  await waitFor('one more is open', () => responder.requests.length === open.length + 1);
  for (const request of responder.requests.slice(1)) request.answer('X-A: 1\r\n\r\n');
  for (const answer of await Promise.all([...open, next])) assert.equal(answer.status, 200);
});

test('what cannot be read behind a request cuts its answer, and does not stand in it', async (t) => {
  const { port, responder } = await setUp(t, {});
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.on('data', (chunk) => (text += chunk.toString('latin1')));
  socket.write('GET /~alice/apps/blog/ HTTP/1.1\r\nHost: a\r\n\r\n');
  await waitFor('the request is there', () => responder.requests.length === 1);
  responder.requests[0]?.output('Content-Length: 1000\r\n\r\nhalf');
  await waitFor('half of the answer', () => text.endsWith('half'));
  const closed = once(socket, 'close');
  socket.write('no request\r\n\r\n');
  await closed;
  assert.ok(text.endsWith('half'), text);
});
