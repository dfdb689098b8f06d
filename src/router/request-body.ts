// The body of one request on its way in: spooled or streamed, counted against what was announced, pausing its front connection.
import { UsherdError } from '../errors.js';
import { BodySpool } from './body-spool.js';
import { BodyStream } from './body-stream.js';
import type { RouterContext } from './context.js';
import type { FrontSide } from './request-types.js';

interface RequestBodyOptions {
  readonly user: string;
  /** 0: no limit. */
  readonly maxBodyBytes: number;
  /** CONTENT_LENGTH; undefined where the web server does not know it. */
  readonly announcedBytes: number | undefined;
  /** Not read ahead; needs an announced length. */
  readonly isStreamed: boolean;
  readonly connection: FrontSide;
  readonly context: RouterContext;
  readonly onFailed: (err: UsherdError) => void;
}

export class RequestBody {
  readonly source: BodySpool | BodyStream;
  readonly #connection: FrontSide;
  readonly #announcedBytes: number | undefined;
  #isPausing = false;

  constructor(options: RequestBodyOptions) {
    this.#connection = options.connection;
    this.#announcedBytes = options.announcedBytes;
    this.source = this.#sourceOf(options);
  }

  /** It is usherd that does not take more, not the client who does not send it. */
  get isPausing(): boolean {
    return this.#isPausing;
  }

  /** Bytes that have come. */
  get receivedBytes(): number {
    const { source } = this;
    return source instanceof BodyStream ? source.receivedBytes : source.length;
  }

  /** Another worker can have all of it. */
  get isRepeatable(): boolean {
    return this.source.isWhole;
  }

  write(content: Buffer): void {
    if (this.source.write(content)) return;
    this.#isPausing = true;
    this.#connection.pauseReading();
  }

  /** @throws UsherdError E_BODY_MISMATCH: what would the rest be, or where is it? */
  end(): void {
    const { receivedBytes } = this;
    if (this.#announcedBytes !== undefined && this.#announcedBytes !== receivedBytes) {
      throw new UsherdError('E_BODY_MISMATCH', `${receivedBytes} bytes of ${this.#announcedBytes}`);
    }
    this.source.end();
  }

  dispose(): void {
    this.source.dispose();
    this.#letGo();
  }

  #sourceOf(options: RequestBodyOptions): BodySpool | BodyStream {
    const { context, announcedBytes, onFailed } = options;
    const budget = context.spoolBudget;
    const onDrain = (): void => this.#letGo();
    if (options.isStreamed && announcedBytes !== undefined) {
      return new BodyStream({ budget, announcedBytes, onDrain, onFailed });
    }
    return new BodySpool({
      budget,
      directory: context.spoolDirectory,
      user: options.user,
      maxBodyBytes: options.maxBodyBytes,
      ...(announcedBytes === undefined ? {} : { expectedBytes: announcedBytes }),
      onDrain,
      onFailed,
    });
  }

  #letGo(): void {
    if (!this.#isPausing) return;
    this.#isPausing = false;
    this.#connection.resumeReading();
  }
}
