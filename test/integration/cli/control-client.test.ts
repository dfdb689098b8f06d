// Asking over the control socket: what comes back, and every way in which it can go wrong.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { askSupervisor } from '../../../src/cli/control-client.js';
import { isUsherdError, type UsherdError } from '../../../src/errors.js';
import { scratchDirectory } from '../../support/scratch.js';

/** A supervisor that does with each connection what the test says. */
async function listening(t: TestContext, serve: (socket: Socket) => void): Promise<string> {
  const path = join(scratchDirectory(t), 'control.sock');
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    serve(socket);
  });
  server.listen(path);
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return path;
}

const answering = (t: TestContext, answer: string): Promise<string> =>
  listening(t, (socket) => socket.once('data', () => socket.end(answer)));

async function refusal(path: string, deadlineMs?: number): Promise<UsherdError> {
  try {
    await askSupervisor(path, { command: 'status' }, deadlineMs);
  } catch (err) {
    if (isUsherdError(err)) return err;
    throw err;
  }
  throw new Error('was answered');
}

test('the request is one line, the result comes back', async (t) => {
  let asked = '';
  const path = await listening(t, (socket) =>
    socket.on('data', (chunk) => {
      asked += chunk.toString();
      if (asked.endsWith('\n')) socket.end('{"ok":true,"result":{"app":"alice/blog"}}\n');
    }),
  );
  const result = await askSupervisor(path, { command: 'restart', app: 'alice/blog' });
  assert.deepEqual(result, { app: 'alice/blog' });
  assert.equal(asked, '{"command":"restart","app":"alice/blog"}\n');
});

test('an answer in many pieces, or without a line end, is one answer', async (t) => {
  const text = '{"ok":true,"result":{"text":"grüß"}}';
  const path = await listening(t, (socket) =>
    socket.once('data', () => {
      for (const byte of Buffer.from(text)) socket.write(Buffer.of(byte));
      socket.end();
    }),
  );
  assert.deepEqual(await askSupervisor(path, { command: 'status' }), { text: 'grüß' });
});

test('what comes behind the line is not read', async (t) => {
  const path = await answering(t, '{"ok":true,"result":{}}\n{"ok":false}\n');
  assert.deepEqual(await askSupervisor(path, { command: 'reload' }), {});
});

test("the supervisor's own refusal comes through with its code and findings", async (t) => {
  const finding = { rule: 'r', path: 'f:1', found: 'a', expected: 'b', remedy: 'c' };
  const answer = { ok: false, code: 'E_CONFIG_INVALID', detail: 'no', findings: [finding, 5] };
  const err = await refusal(await answering(t, `${JSON.stringify(answer)}\n`));
  assert.equal(err.code, 'E_CONFIG_INVALID');
  assert.equal(err.message, 'no');
  assert.deepEqual(err.findings, [finding]);
});

test('a code that is not in the catalogue is no code', async (t) => {
  for (const code of ['E_NEW', 'constructor', 7]) {
    const err = await refusal(await answering(t, `${JSON.stringify({ ok: false, code })}\n`));
    assert.equal(err.code, 'E_CONTROL');
  }
});

test('what is no answer is refused', async (t) => {
  for (const answer of ['', '\n', 'nonsense\n', '5\n', 'null\n', '{}\n', '{"ok":1}\n']) {
    assert.equal((await refusal(await answering(t, answer))).code, 'E_CONTROL', answer);
  }
});

test('a supervisor that says nothing is given up after the deadline', async (t) => {
  const err = await refusal(await listening(t, () => undefined), 50);
  assert.match(err.message, /no answer within 50 ms/);
});

test('nobody there, and nobody who listens any more, are told as "not running"', async (t) => {
  assert.match((await refusal(join(scratchDirectory(t), 'none'))).message, /not running/);
});
