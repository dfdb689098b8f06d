// All workers are read into the same memory: nothing of one is there when the next is read.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { connectWorkerInto } from '../../../src/router/worker-socket.js';
import { directoryFor, until } from './spool-support.js';

test('what was read is wiped when its reader has returned, and the end comes as ever', async (t) => {
  const path = join(directoryFor(t), 'worker.sock');
  const server = net.createServer((socket) => socket.end('of one application'));
  t.after(() => server.close());
  server.listen(path);
  await once(server, 'listening');
  let copied = '';
  let kept: Buffer = Buffer.alloc(0);
  const socket = connectWorkerInto(path, (bytes) => {
    copied += bytes.toString();
    kept = bytes;
  });
  t.after(() => socket.destroy());
  await once(socket, 'end');
  assert.equal(copied, 'of one application');
  assert.ok(kept.length > 0 && kept.every((byte) => byte === 0));
});

test('a paused one reads nothing, and goes on where it was', async (t) => {
  const path = join(directoryFor(t), 'worker.sock');
  const sent = Buffer.alloc(3_000_000, 'some text, of no even length. ');
  const server = net.createServer((socket) => socket.end(sent));
  t.after(() => server.close());
  server.listen(path);
  await once(server, 'listening');
  const parts: Buffer[] = [];
  let resumed = 0;
  const socket = connectWorkerInto(path, (bytes) => {
    parts.push(Buffer.from(bytes));
    socket.pause();
    const seen = parts.length;
    setImmediate(() => {
      assert.equal(parts.length, seen);
      resumed += 1;
      socket.resume();
    });
  });
  t.after(() => socket.destroy());
  await once(socket, 'end');
  await until(() => resumed === parts.length);
  assert.ok(Buffer.concat(parts).equals(sent));
});
