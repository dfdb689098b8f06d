// Requests at workers that speak HTTP/1.1: framing both ways, what is retried, what is cut, and that no answer escapes the checks.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import http from 'node:http';
import net from 'node:net';
import { afterEach, test } from 'node:test';
import { RecordType } from '../../../src/fcgi-protocol/index.js';
import { parseCgi, type FrontClient } from '../../support/front-client.js';
import { appParams, RouterRig } from '../../support/router-rig.js';
import { waitFor } from '../../support/wait-for.js';

let rig: RouterRig | undefined;
afterEach(async () => {
  await rig?.stop();
  rig = undefined;
});

async function startedWith(server: net.Server, concurrency = 1): Promise<FrontClient> {
  const app = { protocol: 'http' as const, worker: { server }, concurrency };
  rig = await RouterRig.start({
    apps: { 'alice/blog': { ...app, facts: { limits: { maxWorkersPerApp: 1 } } } },
  });
  return rig.front();
}

/** Answers with bytes as they stand, once the head of the request is there. */
const raw = (answer: string | readonly string[]): net.Server =>
  net.createServer((socket) => {
    socket.once('data', () => {
      for (const part of typeof answer === 'string' ? [answer] : answer)
        socket.write(part, 'latin1');
      socket.end();
    });
    socket.on('error', () => undefined);
  });

const POST = { REQUEST_METHOD: 'POST' };
const mount = '/~alice/apps/blog';

test('the worker sees a path below its mount, and who asked for it', async () => {
  const front = await startedWith(
    http.createServer((request, response) => {
      const { headers, method, url } = request;
      response.end(JSON.stringify({ method, url, headers, raw: request.rawHeaders.length }));
    }),
  );
  const params = appParams('alice/blog', '/x/y', {
    HTTP_HOST: 'example.test',
    REMOTE_ADDR: '192.0.2.7',
    QUERY_STRING: 'a=1&b=%20',
    REQUEST_URI: `${mount}/x/y?a=1&b=%20`,
    HTTP_TE: 'trailers',
    HTTP_EXPECT: '100-continue',
    HTTP_TRANSFER_ENCODING: 'chunked',
  });
  const answer = await front.fetch(params);
  const seen = JSON.parse(answer.body.toString()) as {
    method: string;
    url: string;
    headers: Record<string, string>;
  };
  assert.equal(seen.method, 'GET');
  assert.equal(seen.url, '/x/y?a=1&b=%20');
  assert.equal(seen.headers['x-forwarded-prefix'], mount);
  assert.equal(seen.headers['x-forwarded-for'], '192.0.2.7');
  assert.equal(seen.headers['connection'], 'close');
  for (const name of ['te', 'expect', 'transfer-encoding', 'content-length']) {
    assert.equal(seen.headers[name], undefined, name);
  }
});

test('bodies go in whole with their length, none is a length of 0, and chunked answers come out plain', async () => {
  const front = await startedWith(
    http.createServer((request, response) => {
      const hash = createHash('sha256');
      request.on('data', (chunk: Buffer) => hash.update(chunk));
      request.on('end', () => {
        response.write(`${request.headers['content-length'] ?? 'none'} `);
        response.end(hash.digest('hex'));
      });
    }),
  );
  const body = Buffer.alloc(5 * 1024 * 1024, 'usherd');
  const posted = await front.fetch(appParams('alice/blog', '/', POST), body);
  const sum = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
  assert.equal(posted.body.toString(), `${body.length} ${sum(body)}`);
  assert.equal(posted.headers.get('transfer-encoding'), undefined);
  const empty = await front.fetch(appParams('alice/blog', '/', POST));
  assert.equal(empty.body.toString(), `0 ${sum(Buffer.alloc(0))}`);
});

test('where bodies are not read ahead, one without a length goes on in chunks as it comes', async () => {
  let got = '';
  const heads: http.IncomingHttpHeaders[] = [];
  const server = http.createServer((request, response) => {
    heads.push(request.headers);
    request.on('data', (chunk: Buffer) => (got += chunk.toString()));
    request.on('end', () => response.end(got));
  });
  const facts = { bufferRequests: false, limits: { maxBodyBytes: 50_000 } };
  rig = await RouterRig.start({
    apps: { 'alice/blog': { protocol: 'http', worker: { server }, facts } },
  });
  const front = await rig.front();
  await front.fetch(appParams('alice/blog')); // what it speaks is known from now on
  front.head(1, appParams('alice/blog', '/', POST));
  front.encoder.stream(RecordType.STDIN, 1, Buffer.from('first '));
  await waitFor('the first part', () => got === 'first ');
  assert.equal(heads.at(-1)?.['transfer-encoding'], 'chunked');
  assert.equal(heads.at(-1)?.['content-length'], undefined);
  front.encoder.stream(RecordType.STDIN, 1, Buffer.from('last'));
  front.encoder.endStream(RecordType.STDIN, 1);
  assert.equal(parseCgi(await front.ended(1)).body.toString(), 'first last');
  // None at all is a length of 0, not an empty chunk.
  await front.fetch(appParams('alice/blog', '/', POST));
  assert.equal(heads.at(-1)?.['content-length'], '0');
  const tooLarge = await front.fetch(appParams('alice/blog', '/', POST), Buffer.alloc(60_000, 'x'));
  assert.equal(tooLarge.status, 413);
});

test('20 MB of answer come through whole while the web server reads slowly', async () => {
  const front = await startedWith(
    http.createServer((_request, response) => {
      const block = Buffer.alloc(64 * 1024, 'x');
      let left = 320;
      const write = (): void => {
        while (left > 0) {
          left -= 1;
          if (!response.write(block)) {
            response.once('drain', write);
            return;
          }
        }
        response.end();
      };
      write();
    }),
  );
  front.socket.pause();
  front.send(1, appParams('alice/blog'));
  await waitFor('the answer is held back', () => (rig?.router.counters.requestsActive ?? 0) === 1);
  front.socket.resume();
  assert.equal(parseCgi(await front.ended(1, 60_000)).body.length, 320 * 64 * 1024);
});

test('1xx answers are nobody’s, trailers are dropped', async () => {
  const front = await startedWith(
    raw(
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n' +
        'HTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\nX-A: 1\r\n\r\n' +
        '3\r\nabc\r\n0\r\nX-Sum: 9\r\n\r\n',
    ),
  );
  const answer = await front.fetch(appParams('alice/blog'));
  assert.equal(answer.headers.get('status'), '200 Fine');
  assert.deepEqual([...answer.headers.keys()], ['status', 'x-a']);
  assert.equal(answer.body.toString(), 'abc');
});

test('HEAD, 204 and 304 have no body and keep the worker', async () => {
  const front = await startedWith(
    http.createServer((request, response) => {
      const status = Number(/\d+/.exec(request.url ?? '')?.[0] ?? 200);
      response.writeHead(status, status === 200 ? { 'Content-Length': '5' } : {});
      response.end(status === 200 ? 'hello' : undefined);
    }),
  );
  const head = await front.fetch(appParams('alice/blog', '/', { REQUEST_METHOD: 'HEAD' }));
  assert.equal(head.headers.get('content-length'), '5');
  assert.equal(head.body.length, 0);
  for (const status of [204, 304]) {
    const answer = await front.fetch(appParams('alice/blog', `/${status}`));
    assert.equal(answer.status, status);
    assert.equal(answer.body.length, 0);
  }
  assert.equal((await front.fetch(appParams('alice/blog'))).body.toString(), 'hello');
  assert.equal(rig?.supervisor.needs.length, 1);
});

test('what is no HTTP, or a head over the limits, is a 502 and ends nothing else', async () => {
  const answers = [
    'hello, this is no HTTP',
    `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(9_000)}\r\n\r\n`,
    `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(101)}\r\n`,
    `HTTP/1.1 200 OK\r\n${'X: yyyyyyyyyyyyyyyyyyyy\r\n'.repeat(2_000)}\r\n`,
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
    'HTTP/1.1 600 What\r\n\r\n',
  ];
  let at = 0;
  const server = net.createServer((socket) => {
    socket.once('data', () => socket.end(answers[at] ?? ''));
    socket.on('error', () => undefined);
  });
  const front = await startedWith(server);
  for (; at < answers.length; at += 1) {
    const answer = await front.fetch(appParams('alice/blog', '/', POST), Buffer.from('x'));
    assert.equal(answer.status, 502, answers[at]?.slice(0, 40));
    assert.equal(answer.headers.get('x-usherd-reason'), 'bad-response', answers[at]?.slice(0, 40));
  }
});

test('an answer that ends before its length or its last chunk is cut, never made to look whole', async () => {
  const begun = 'HTTP/1.1 200 OK\r\n';
  for (const answer of [
    `${begun}Content-Length: 10\r\n\r\nhalf`,
    `${begun}Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n`,
  ]) {
    const front = await startedWith(raw(answer));
    front.send(1, appParams('alice/blog'));
    await waitFor('the end of the front connection', () => front.isEnded || front.isClosed);
    assert.equal(front.answer(1).end, undefined);
    assert.ok(front.isBroken);
    await rig?.stop();
    rig = undefined;
  }
});

test('an answer without length and chunks ends with its connection', async () => {
  const front = await startedWith(raw(['HTTP/1.0 200 OK\r\n\r\n', 'all ', 'of it']));
  assert.equal((await front.fetch(appParams('alice/blog'))).body.toString(), 'all of it');
});

test('a GET whose worker closes without a word is asked once more, a POST is not', async () => {
  let tries = 0;
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      tries += 1;
      if (tries % 2 === 0) socket.destroy();
      else socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    });
  });
  const front = await startedWith(server);
  const get = async (): Promise<string> =>
    (await front.fetch(appParams('alice/blog'))).body.toString();
  assert.equal(await get(), 'ok', 'one that has never answered would begin a back-off');
  assert.equal(await get(), 'ok');
  assert.equal(tries, 3);
  const post = await front.fetch(appParams('alice/blog', '/', POST), Buffer.from('x'));
  assert.equal(post.status, 502);
  assert.equal(post.headers.get('x-usherd-reason'), 'worker-died');
  assert.equal(tries, 4);
});

test('an answer that comes before the body was read is delivered', async () => {
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig');
      socket.destroySoon();
      socket.pause();
    });
  });
  const front = await startedWith(server);
  const body = Buffer.alloc(8 * 1024 * 1024);
  const answer = await front.fetch(appParams('alice/blog', '/', POST), body);
  assert.equal(answer.status, 413);
  assert.equal(answer.body.toString(), 'big');
});

test('as many requests are at one worker as it takes at once, and no more', async () => {
  let open = 0;
  let most = 0;
  const held: http.ServerResponse[] = [];
  const server = http.createServer((_request, response) => {
    open += 1;
    most = Math.max(most, open);
    response.once('close', () => (open -= 1));
    held.push(response);
    if (most === 8 || held.length > 8) for (const one of held) one.end('done');
  });
  const front = await startedWith(server, 8);
  const ids = Array.from({ length: 24 }, (_, i) => i + 1);
  for (const id of ids) front.send(id, appParams('alice/blog', `/${id}`));
  for (const id of ids) assert.equal(parseCgi(await front.ended(id)).body.toString(), 'done');
  assert.equal(most, 8);
});

test('the client that left is forgotten by the worker’s next answers, and the worker is kept', async () => {
  const held: http.ServerResponse[] = [];
  const front = await startedWith(
    http.createServer((_request, response) => void held.push(response)),
  );
  for (let round = 1; round <= 3; round += 1) {
    front.send(1, appParams('alice/blog', `/${round}`));
    await waitFor('the request at the worker', () => held.length === round);
    front.encoder.abortRequest(1);
    held.at(-1)?.end('for nobody');
    await front.ended(1);
  }
  assert.equal(rig?.supervisor.needs.length, 1);
  assert.deepEqual(
    rig.supervisor.received.filter(({ type }) => type === 'retire'),
    [],
  );
});
