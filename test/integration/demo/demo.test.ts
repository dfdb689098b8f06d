// `usherd demo` as a newcomer runs it; as root with two uids, otherwise as whoever runs the tests.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readdirSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { waitFor } from '../../support/wait-for.js';
import { scratchDirectory } from '../../support/scratch.js';

const MAIN = join(import.meta.dirname, '../../../src/main.js');
const isRoot = process.getuid?.() === 0;

interface Demo {
  readonly child: ChildProcess;
  /** Everything it printed so far. */
  readonly said: () => string;
  readonly exit: Promise<number | null>;
  /** What it has on disk. */
  readonly left: () => readonly string[];
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

function startDemo(t: TestContext, args: readonly string[]): Demo {
  const directory = scratchDirectory(t);
  chmodSync(directory, 0o755);
  const child = spawn(process.execPath, [MAIN, 'demo', ...args], {
    env: { ...process.env, TMPDIR: directory },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  }
  const exit = once(child, 'exit').then(([code]) => code as number | null);
  return { child, said: () => said, exit, left: () => readdirSync(directory) };
}

test('--once visits every URL, finds each under the uid of its owner, and leaves nothing', async (t) => {
  const demo = startDemo(t, ['--once', '--port', String(await freePort())]);
  assert.equal(await demo.exit, 0, demo.said());
  const uidOf = (url: string): string | undefined =>
    new RegExp(`^ok .*${url}[^]*?uid=(\\d+)`, 'm').exec(demo.said())?.[1];
  const alice = uidOf('/~alice/apps/hello-node/');
  const bob = uidOf('/~bob/apps/hello-perl/');
  assert.ok(alice !== undefined && bob !== undefined, demo.said());
  assert.equal(alice === bob, !isRoot, 'two uids as root, one otherwise');
  assert.notEqual(isRoot && alice, '0');
  assert.deepEqual(demo.left(), []);
});

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  test(`${signal} ends it, and leaves neither files nor a listener`, async (t) => {
    const port = await freePort();
    const demo = startDemo(t, ['--port', String(port)]);
    await waitFor('the banner', () => demo.said().includes('Ctrl-C'), 30_000);
    const page = await fetch(`http://127.0.0.1:${port}/`);
    assert.match(await page.text(), /~alice\/apps\/hello-node/);
    demo.child.kill(signal);
    assert.equal(await demo.exit, 0, demo.said());
    assert.deepEqual(demo.left(), []);
    await assert.rejects(fetch(`http://127.0.0.1:${port}/`));
  });
}

test('a port that is taken is said in one sentence, with the way out', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  t.after(() => taken.close());
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const demo = startDemo(t, ['--port', String(port)]);
  assert.equal(await demo.exit, 1);
  assert.match(demo.said(), new RegExp(`port ${port} cannot be used .*--port`));
  assert.deepEqual(demo.left(), []);
});
