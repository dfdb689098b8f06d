import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isUsherdError } from '../../../src/errors.js';
import { FrameDecoder, encodeFrame } from '../../../src/ipc/index.js';
import { LIMITS } from '../../../src/limits.js';

const isFrameError = (err: unknown): boolean =>
  isUsherdError(err) && err.code === 'E_MONITOR_FRAME';

/** Built here, not by the encoder. */
function frame(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content as string);
  return Buffer.concat([Buffer.from([0, 0, bytes.length >> 8, bytes.length & 0xff]), bytes]);
}

function decode(...chunks: Buffer[]): unknown[] {
  const messages: unknown[] = [];
  const decoder = new FrameDecoder((message) => messages.push(message));
  for (const chunk of chunks) decoder.push(chunk);
  return messages;
}

describe('a frame', () => {
  it('is a big-endian length and as many bytes of JSON', () => {
    assert.deepEqual(encodeFrame({ a: 'é' }), frame('{"a":"é"}'));
    assert.equal(encodeFrame({ a: 'é' }).readUInt32BE(0), 10);
  });

  it('is decoded one, several, or none at a time', () => {
    const bytes = Buffer.concat([frame('1'), frame('[2]')]);
    assert.deepEqual(decode(bytes), [1, [2]]);
    assert.deepEqual(decode(bytes.subarray(0, 6), bytes.subarray(6)), [1, [2]]);
    assert.deepEqual(decode(bytes.subarray(0, 4)), []);
  });

  it('may be as long as the bound and not one byte longer', () => {
    const text = (bytes: number): object => ({ t: 'x'.repeat(bytes - '{"t":""}'.length) });
    const longest = encodeFrame(text(LIMITS.ipcFrameMaxBytes));
    assert.deepEqual(decode(longest), [text(LIMITS.ipcFrameMaxBytes)]);
    assert.throws(() => encodeFrame(text(LIMITS.ipcFrameMaxBytes + 1)), isFrameError);
    const prefix = Buffer.alloc(4);
    prefix.writeUInt32BE(LIMITS.ipcFrameMaxBytes + 1);
    assert.throws(() => decode(prefix), isFrameError);
  });

  it('is refused by its length alone, before any of it is kept (T115)', () => {
    assert.throws(() => decode(Buffer.from([0xff, 0xff, 0xff, 0xff])), isFrameError);
    assert.throws(() => decode(Buffer.alloc(4)), isFrameError);
  });

  it('is refused when it is no JSON or no UTF-8', () => {
    assert.throws(() => decode(frame('{')), isFrameError);
    assert.throws(() => decode(frame(Buffer.from([0x22, 0xff, 0x22]))), isFrameError);
  });

  it('is delivered no more after an error or a stop', () => {
    const messages: unknown[] = [];
    const decoder = new FrameDecoder((message) => {
      messages.push(message);
      decoder.stop();
    });
    decoder.push(Buffer.concat([frame('1'), frame('2')]));
    decoder.push(frame('3'));
    assert.deepEqual(messages, [1]);
  });
});
