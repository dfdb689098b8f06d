// A file that the gateway sends as it is: whole, or as far as somebody wanted it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { sendFile } from '../../../src/gateway/plain-file.js';
import { scratchDirectory } from '../../support/scratch.js';

/** More than sockets hold. */
const SIZE = 32 * 1024 * 1024;

interface Download {
  readonly answer: IncomingMessage;
  /** When the gateway is done with it. */
  readonly sent: Promise<void>;
}

async function download(t: TestContext): Promise<Download> {
  const file = join(scratchDirectory(t), 'film.mp4');
  writeFileSync(file, Buffer.alloc(SIZE));
  let sent = Promise.resolve();
  const server = createServer((_request, response) => {
    sent = sendFile(response, Buffer.from(file), { isHead: false });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const request = get({ host: '127.0.0.1', port, agent: false });
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  return { answer, sent };
}

test('a large file arrives whole', async (t) => {
  const { answer, sent } = await download(t);
  let bytes = 0;
  for await (const chunk of answer) bytes += (chunk as Buffer).length;
  await sent;
  assert.equal(bytes, SIZE);
  assert.equal(answer.headers['content-type'], 'video/mp4');
});

test('a client that leaves in the middle is no failure', async (t) => {
  const { answer, sent } = await download(t);
  await once(answer, 'data');
  answer.destroy();
  await sent;
});
