import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isUsherdError } from '../../../src/errors.js';
import { FrameDecoder, encodeFrame, routerMessage } from '../../../src/ipc/index.js';

function chunked(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end));
}

describe('frames', () => {
  it('come out the same however they are cut', () => {
    const messages = fc.array(fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 4 }), {
      maxLength: 5,
    });
    fc.assert(
      fc.property(messages, fc.array(fc.nat()), (sent, cuts) => {
        const plain = sent.map((message) => JSON.parse(JSON.stringify(message)) as object);
        const got: unknown[] = [];
        const decoder = new FrameDecoder((message) => got.push(message));
        const bytes = Buffer.concat(plain.map((message) => encodeFrame(message)));
        for (const chunk of chunked(bytes, cuts)) decoder.push(chunk);
        assert.deepEqual(got, plain);
      }),
    );
  });

  it('made of random bytes end in nothing but a frame error, and no message passes the schema', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 })), (chunks) => {
        const decoder = new FrameDecoder((message) => {
          assert.equal(routerMessage.safeParse(message).success, false);
        });
        try {
          for (const chunk of chunks) decoder.push(Buffer.from(chunk));
        } catch (err) {
          assert.ok(isUsherdError(err) && err.code === 'E_MONITOR_FRAME');
        }
      }),
    );
  });
});
