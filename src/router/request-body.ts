// The body of one request on its way in: spooled, counted against what was announced, and pausing its front connection.
import { UsherdError } from '../errors.js';
import { BodySpool } from './body-spool.js';
import type { RouterContext } from './context.js';
import type { FrontSide } from './request-types.js';

interface RequestBodyOptions {
  readonly user: string;
  /** 0: no limit. */
  readonly maxBodyBytes: number;
  /** CONTENT_LENGTH; undefined where the web server does not know it. */
  readonly announcedBytes: number | undefined;
  readonly connection: FrontSide;
  readonly context: RouterContext;
  readonly onFailed: (err: UsherdError) => void;
}

export class RequestBody {
  readonly spool: BodySpool;
  readonly #connection: FrontSide;
  readonly #announcedBytes: number | undefined;
  #isPausing = false;
  /** For the idle deadline: armed once, looked at when it fires. */
  lastBytesMs = performance.now();

  constructor(options: RequestBodyOptions) {
    const { context, announcedBytes } = options;
    this.#connection = options.connection;
    this.#announcedBytes = announcedBytes;
    this.spool = new BodySpool({
      budget: context.spoolBudget,
      directory: context.spoolDirectory,
      user: options.user,
      maxBodyBytes: options.maxBodyBytes,
      ...(announcedBytes === undefined ? {} : { expectedBytes: announcedBytes }),
      onDrain: () => this.#letGo(),
      onFailed: options.onFailed,
    });
  }

  write(content: Buffer): void {
    this.lastBytesMs = performance.now();
    if (this.spool.write(content)) return;
    this.#isPausing = true;
    this.#connection.pauseReading();
  }

  /** @throws UsherdError E_BODY_MISMATCH: what would the rest be, or where is it? */
  end(): void {
    const { length } = this.spool;
    if (this.#announcedBytes !== undefined && this.#announcedBytes !== length) {
      throw new UsherdError('E_BODY_MISMATCH', `${length} bytes of ${this.#announcedBytes}`);
    }
    this.spool.end();
  }

  dispose(): void {
    this.spool.dispose();
    this.#letGo();
  }

  #letGo(): void {
    if (!this.#isPausing) return;
    this.#isPausing = false;
    this.#connection.resumeReading();
  }
}
