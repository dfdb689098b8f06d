import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { describe, it } from 'node:test';
import type { UsherdError } from '../../../src/errors.js';
import {
  Channel,
  encodeFrame,
  routerMessage,
  type RouterMessage,
  type SupervisorMessage,
} from '../../../src/ipc/index.js';
import { LIMITS } from '../../../src/limits.js';

/** A socket whose other end is the test; it reads nothing unless told. */
class TestSocket extends Duplex {
  override _read(): void {
    // the test pushes
  }
  override _write(): void {
    // never acknowledged: a peer that does not read
  }
}

function open(): {
  socket: TestSocket;
  channel: Channel<RouterMessage, SupervisorMessage>;
  got: RouterMessage[];
  closes: (UsherdError | undefined)[];
} {
  const socket = new TestSocket();
  const got: RouterMessage[] = [];
  const closes: (UsherdError | undefined)[] = [];
  const channel = new Channel<RouterMessage, SupervisorMessage>({
    socket: socket as unknown as Socket,
    schema: routerMessage,
    onMessage: (message) => got.push(message),
    onClose: (err) => closes.push(err),
  });
  return { socket, channel, got, closes };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const check = { type: 'check', app: 'alice/blog' } as const;

describe('a channel', () => {
  it('delivers what fits the schema', async () => {
    const { socket, got } = open();
    socket.push(encodeFrame(check));
    await turn();
    assert.deepEqual(got, [check]);
  });

  it('is closed by an unknown key, once, and delivers nothing after it (T115)', async () => {
    const { socket, channel, got, closes } = open();
    socket.push(Buffer.concat([encodeFrame({ ...check, uid: 0 }), encodeFrame(check)]));
    await turn();
    assert.deepEqual(got, []);
    assert.deepEqual(
      closes.map((err) => err?.code),
      ['E_MONITOR_UNKNOWN'],
    );
    assert.equal(channel.isOpen, false);
    assert.equal(channel.send({ type: 'settled' }), false);
  });

  it('is closed when the peer ends it, without an error', async () => {
    const { socket, closes } = open();
    socket.destroy();
    await turn();
    assert.deepEqual(closes, [undefined]);
  });

  it('is closed when the peer does not read and the queue reaches its bound', () => {
    const { channel, closes } = open();
    const detail = 'x'.repeat(390);
    const frame = encodeFrame(refused(detail)).length;
    let sent = 0;
    while (channel.send(refused(detail))) sent += 1;
    assert.equal(sent, Math.floor(LIMITS.ipcWriteQueueMaxBytes / frame));
    assert.equal(closes[0]?.code, 'E_MONITOR_FRAME');
  });
});

const refused = (detail: string): SupervisorMessage => ({
  type: 'refused',
  ticket: 1,
  app: 'alice/blog',
  runtime: '',
  code: 'E_SPAWN_LIMIT',
  rule: '',
  detail,
  remedy: '',
  retryAfterMs: 0,
});
