// One connection between router and supervisor, typed in both directions; whatever does not fit the schema ends it.
import type { Socket } from 'node:net';
import type { z } from 'zod';
import { LIMITS } from '../limits.js';
import { UsherdError, isUsherdError } from '../errors.js';
import { FrameDecoder, encodeFrame } from './framing.js';

export interface ChannelOptions<In> {
  readonly socket: Socket;
  readonly schema: z.ZodType<In>;
  readonly onMessage: (message: In) => void;
  /** Exactly once; with an error if this side ended it because of the peer, or if the socket failed. */
  readonly onClose: (err?: UsherdError) => void;
}

export class Channel<In, Out extends object> {
  readonly #socket: Socket;
  readonly #decoder: FrameDecoder;
  readonly #options: ChannelOptions<In>;
  #isOpen = true;

  constructor(options: ChannelOptions<In>) {
    this.#options = options;
    this.#socket = options.socket;
    this.#decoder = new FrameDecoder((json) => this.#receive(json));
    this.#socket.on('data', (chunk: Buffer) => this.#read(chunk));
    this.#socket.on('error', (cause) => {
      this.close(new UsherdError('E_MONITOR_FRAME', 'the connection failed', { cause }));
    });
    this.#socket.on('close', () => this.close());
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /**
   * False if the message did not go out: the channel is closed, or the peer reads so slowly that it now is.
   * @throws E_MONITOR_FRAME when the message is over the bound.
   */
  send(message: Out): boolean {
    if (!this.#isOpen) return false;
    const frame = encodeFrame(message);
    if (this.#socket.writableLength + frame.length > LIMITS.ipcWriteQueueMaxBytes) {
      this.close(new UsherdError('E_MONITOR_FRAME', 'the peer does not read'));
      return false;
    }
    this.#socket.write(frame);
    return true;
  }

  /** Ends the connection at once; nothing is delivered after it. */
  close(err?: UsherdError): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#decoder.stop();
    this.#socket.destroy();
    this.#options.onClose(err);
  }

  #read(chunk: Buffer): void {
    if (!this.#isOpen) return;
    try {
      this.#decoder.push(chunk);
    } catch (err) {
      // Anything but a broken frame came out of our own handlers and is a bug.
      if (!isUsherdError(err) || err.code !== 'E_MONITOR_FRAME') throw err;
      this.close(err);
    }
  }

  #receive(json: unknown): void {
    const parsed = this.#options.schema.safeParse(json);
    if (parsed.success) {
      this.#options.onMessage(parsed.data);
      return;
    }
    const first = parsed.error.issues[0];
    const where = first?.path.map(String).join('.') ?? '';
    this.close(new UsherdError('E_MONITOR_UNKNOWN', `${where}: ${first?.code ?? 'does not fit'}`));
  }
}
