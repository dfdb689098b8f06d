// A supervisor of which there is only the control socket, with one answer to whatever is asked.
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { scratchDirectory } from './scratch.js';

const HOUR_MS = 3_600_000;

/** Returns the configuration file that leads to it, which it has read just now unless another time is said. */
export async function fakeControl(
  t: TestContext,
  result: object,
  configReadAtMs = Date.now() + HOUR_MS,
): Promise<string> {
  const directory = scratchDirectory(t);
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () =>
      socket.end(`${JSON.stringify({ ok: true, result, configReadAtMs })}\n`),
    );
  });
  server.listen(join(directory, 'control.sock'));
  await once(server, 'listening');
  t.after(() => server.close());
  const file = join(directory, 'usherd.toml');
  writeFileSync(file, `[paths]\nrun = "${directory}"\n`);
  return file;
}
