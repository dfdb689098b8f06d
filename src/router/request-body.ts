// The body of one request on its way in: spooled or streamed, counted against what was announced, pausing its front connection.
import { UsherdError } from '../errors.js';
import { BodySpool } from './body-spool.js';
import { BodyStream } from './body-stream.js';
import { NO_BODY, type BodySource } from './body-source.js';
import type { RouterContext } from './context.js';
import type { FrontSide } from './request-types.js';

export interface RequestBodyOptions {
  /** Whose share of the spool it takes. */
  readonly user: string;
  /** 0: no limit. */
  readonly maxBodyBytes: number;
  /** CONTENT_LENGTH; undefined where the web server does not know it. */
  readonly announcedBytes: number | undefined;
  /** Not read ahead. */
  readonly isStreamed: boolean;
  readonly connection: FrontSide;
  readonly context: RouterContext;
  readonly onFailed: (err: UsherdError) => void;
}

export class RequestBody {
  readonly #options: RequestBodyOptions;
  /** Made with the first byte: most requests have none. */
  #source: BodySpool | BodyStream | undefined;
  #isPausing = false;

  constructor(options: RequestBodyOptions) {
    this.#options = options;
    if (options.isStreamed) this.#source = this.#sourceOf(options);
  }

  get source(): BodySource {
    return this.#source ?? NO_BODY;
  }

  /** Bytes that have come. */
  get receivedBytes(): number {
    const source = this.#source;
    return source instanceof BodyStream ? source.receivedBytes : (source?.length ?? 0);
  }

  /** Another worker can have all of it. */
  get isRepeatable(): boolean {
    return this.source.isWhole;
  }

  write(content: Buffer): void {
    this.#source ??= this.#sourceOf(this.#options);
    if (this.#source.write(content) || this.#isPausing) return;
    this.#isPausing = true;
    this.#options.connection.pauseReading();
  }

  /** @throws UsherdError E_BODY_MISMATCH: what would the rest be, or where is it? */
  end(): void {
    const { receivedBytes } = this;
    const { announcedBytes } = this.#options;
    if (announcedBytes !== undefined && announcedBytes !== receivedBytes) {
      throw new UsherdError('E_BODY_MISMATCH', `${receivedBytes} bytes of ${announcedBytes}`);
    }
    this.#source?.end();
  }

  dispose(): void {
    this.#source?.dispose();
    this.#letGo();
  }

  #sourceOf(options: RequestBodyOptions): BodySpool | BodyStream {
    const { context, announcedBytes, onFailed, user } = options;
    const budget = context.spoolBudget;
    const onDrain = (): void => this.#letGo();
    if (options.isStreamed) {
      const { maxBodyBytes } = options;
      return new BodyStream({ user, budget, announcedBytes, maxBodyBytes, onDrain, onFailed });
    }
    return new BodySpool({
      budget,
      directory: context.spoolDirectory,
      user,
      maxBodyBytes: options.maxBodyBytes,
      ...(announcedBytes === undefined ? {} : { expectedBytes: announcedBytes }),
      onDrain,
      onFailed,
    });
  }

  #letGo(): void {
    if (!this.#isPausing) return;
    this.#isPausing = false;
    this.#options.connection.resumeReading();
  }
}
