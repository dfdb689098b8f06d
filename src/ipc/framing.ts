// Frames between router and supervisor: u32 big-endian length, then that many bytes of JSON (security.md R-C1).
import { LIMITS } from '../limits.js';
import { UsherdError } from '../errors.js';

const PREFIX_BYTES = 4;
const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** Bytes in, parsed JSON out. Holds at most one frame, whatever the peer announces. */
export class FrameDecoder {
  readonly #onMessage: (json: unknown) => void;
  readonly #carry = Buffer.alloc(PREFIX_BYTES + LIMITS.ipcFrameMaxBytes);
  #carriedBytes = 0;
  #isDead = false;

  constructor(onMessage: (json: unknown) => void) {
    this.#onMessage = onMessage;
  }

  /** @throws E_MONITOR_FRAME for a length of 0 or over the bound, and for anything that is not JSON in UTF-8. */
  push(chunk: Buffer): void {
    let offset = 0;
    while (!this.#isDead && offset < chunk.length) {
      const wanted = this.#frameBytes() - this.#carriedBytes;
      const taken = Math.min(wanted, chunk.length - offset);
      chunk.copy(this.#carry, this.#carriedBytes, offset, offset + taken);
      this.#carriedBytes += taken;
      offset += taken;
      if (this.#carriedBytes >= PREFIX_BYTES && this.#carriedBytes === this.#frameBytes()) {
        this.#deliver();
      }
    }
  }

  /** No more messages, even from inside `push`. */
  stop(): void {
    this.#isDead = true;
  }

  /** Of the frame under way, as far as known: the prefix first, then all of it. */
  #frameBytes(): number {
    if (this.#carriedBytes < PREFIX_BYTES) return PREFIX_BYTES;
    const contentBytes = this.#carry.readUInt32BE(0);
    if (contentBytes === 0 || contentBytes > LIMITS.ipcFrameMaxBytes) {
      this.#isDead = true;
      throw new UsherdError('E_MONITOR_FRAME', `a frame of ${contentBytes} bytes was announced`);
    }
    return PREFIX_BYTES + contentBytes;
  }

  #deliver(): void {
    const content = this.#carry.subarray(PREFIX_BYTES, this.#carriedBytes);
    this.#carriedBytes = 0;
    let json: unknown;
    try {
      json = JSON.parse(UTF8.decode(content));
    } catch (cause) {
      this.#isDead = true;
      throw new UsherdError('E_MONITOR_FRAME', 'a frame is not JSON', { cause });
    }
    this.#onMessage(json);
  }
}

/** @throws E_MONITOR_FRAME when the message is over the bound. */
export function encodeFrame(message: object): Buffer {
  const content = Buffer.from(JSON.stringify(message), 'utf8');
  if (content.length > LIMITS.ipcFrameMaxBytes) {
    throw new UsherdError('E_MONITOR_FRAME', `a message of ${content.length} bytes does not fit`);
  }
  const frame = Buffer.alloc(PREFIX_BYTES + content.length);
  frame.writeUInt32BE(content.length, 0);
  content.copy(frame, PREFIX_BYTES);
  return frame;
}
