// Requests at workers that speak SCGI.
import assert from 'node:assert/strict';
import net from 'node:net';
import { afterEach, test } from 'node:test';
import type { parseCgi } from '../../support/front-client.js';
import { appParams, RouterRig } from '../../support/router-rig.js';

let rig: RouterRig | undefined;
afterEach(async () => {
  await rig?.stop();
  rig = undefined;
});

interface ScgiRequest {
  readonly names: readonly string[];
  readonly params: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** Parses by the description at python.ca/scgi/protocol.txt, knowing nothing of the encoder. */
function scgiServer(answer: (request: ScgiRequest) => string): net.Server {
  return net.createServer({ allowHalfOpen: true }, (socket) => {
    let bytes = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      const colon = bytes.indexOf(':');
      if (colon === -1) return;
      const end = colon + 1 + Number(bytes.toString('latin1', 0, colon));
      if (bytes.length <= end) return;
      assert.equal(bytes[end], ','.charCodeAt(0));
      const words = bytes.toString('latin1', colon + 1, end).split('\0');
      assert.equal(words.pop(), '');
      const names = words.filter((_word, at) => at % 2 === 0);
      const params = new Map(names.map((name, at) => [name, words[at * 2 + 1] ?? '']));
      const body = bytes.subarray(end + 1);
      if (body.length < Number(params.get('CONTENT_LENGTH'))) return;
      socket.end(answer({ names, params, body }));
    });
  });
}

async function fetchFrom(server: net.Server, body?: Buffer): Promise<ReturnType<typeof parseCgi>> {
  const app = { protocol: 'scgi' as const, worker: { server } };
  rig = await RouterRig.start({ apps: { 'alice/blog': app } });
  const front = await rig.front();
  const method = body === undefined ? 'GET' : 'POST';
  return front.fetch(appParams('alice/blog', '/x/y', { REQUEST_METHOD: method }), body);
}

test('params come as a netstring with CONTENT_LENGTH first, and the answer is a CGI answer', async () => {
  const answer = await fetchFrom(
    scgiServer(({ names, params }) => {
      assert.equal(names[0], 'CONTENT_LENGTH');
      assert.equal(names.filter((name) => name === 'SCGI').length, 1);
      assert.equal(params.get('SCGI'), '1');
      return `Status: 201 Made\r\nContent-Type: text/plain\r\n\r\n${params.get('SCRIPT_NAME') ?? ''}|${params.get('PATH_INFO') ?? ''}|${params.get('CONTENT_LENGTH') ?? ''}`;
    }),
  );
  assert.equal(answer.headers.get('status'), '201 Made');
  assert.equal(answer.body.toString(), '/~alice/apps/blog|/x/y|0');
});

test('a large body comes whole behind its length', async () => {
  const body = Buffer.alloc(3_000_000, 'scgi');
  const answer = await fetchFrom(
    scgiServer((request) => `Content-Type: text/plain\r\n\r\n${request.body.equals(body)}`),
    body,
  );
  assert.equal(answer.body.toString(), 'true');
});

const READS_NOTHING =
  'while (accept my $c, STDIN) { sysread $c, my $first, 1; syswrite $c, "Content-Type: text/plain\\r\\n\\r\\nenough"; close $c }';

test('an answer is whole although its worker has left the body unread, which resets the connection', async () => {
  const program = ['/usr/bin/perl', '-e', READS_NOTHING];
  rig = await RouterRig.start({ apps: { 'alice/blog': { protocol: 'scgi', program } } });
  const front = await rig.front();
  const params = appParams('alice/blog', '/', { REQUEST_METHOD: 'POST' });
  const answer = await front.fetch(params, Buffer.alloc(10_000));
  assert.equal(answer.status, 200);
  assert.equal(answer.body.toString(), 'enough');
});

test('a worker that says nothing, or half a head, is a 502', async () => {
  for (const [text, reason] of [
    ['', 'worker-died'],
    ['Content-Type: text', 'bad-response'],
  ] as const) {
    const answer = await fetchFrom(
      scgiServer(() => text),
      Buffer.from('x'),
    );
    assert.equal(answer.status, 502);
    assert.equal(answer.headers.get('x-usherd-reason'), reason);
    await rig?.stop();
    rig = undefined;
  }
});
