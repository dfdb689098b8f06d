// `usherd run` beside another usherd: it waits for the end of that one, and gives up in words.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { untilAlone } from '../../../src/cli/alone.js';
import { isUsherdError } from '../../../src/errors.js';
import { isListenedOn } from '../../../src/ipc/index.js';
import { scratchDirectory } from '../../support/scratch.js';

async function listening(t: TestContext): Promise<{ path: string; server: Server }> {
  const path = join(scratchDirectory(t), 'control.sock');
  const server = createServer((socket) => void socket.on('error', () => undefined));
  server.listen(path);
  await once(server, 'listening');
  t.after(() => server.close());
  return { path, server };
}

test('where nobody listens it starts at once, and says nothing', async (t) => {
  const path = join(scratchDirectory(t), 'control.sock');
  const onWaiting = (): void => assert.fail('nobody is waited for');
  await untilAlone(path, { waitMs: 0, pollMs: 1, onWaiting });
  assert.equal(await isListenedOn(path), false);
});

test('one that ends is waited for', async (t) => {
  const { path, server } = await listening(t);
  assert.equal(await isListenedOn(path), true);
  let times = 0;
  const onWaiting = (): void => {
    times += 1;
    server.close();
  };
  await untilAlone(path, { waitMs: 60_000, pollMs: 1, onWaiting });
  assert.equal(times, 1, 'said once');
});

test('one that stays is left alone', async (t) => {
  const { path } = await listening(t);
  await assert.rejects(
    untilAlone(path, { waitMs: 20, pollMs: 5, onWaiting: () => undefined }),
    (err) => isUsherdError(err) && err.message.includes('usherd runs already'),
  );
});
