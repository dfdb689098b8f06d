// The streams of one request on their way in: STDIN, and the file of a Filter (DATA). Knows when all of them have come.
import { Role } from '../fcgi-protocol/index.js';
import type { BodySource } from './body-source.js';
import { RequestBody, type RequestBodyOptions } from './request-body.js';
import type { Params } from './resolve.js';

/** No bytes, which is also how a stream ends. */
export const NOTHING = Buffer.alloc(0);

export type InputStream = 'stdin' | 'data';

interface OpenOptions extends RequestBodyOptions {
  /** FCGI_DATA_LENGTH; undefined where the web server does not know it. */
  readonly announcedDataBytes: number | undefined;
}

export class RequestInput {
  /** The ends of these have not come. */
  #expectsStdin = true;
  #expectsData: boolean;
  #body: RequestBody | undefined;
  #data: RequestBody | undefined;

  constructor(role: number) {
    this.#expectsData = role === Role.FILTER;
  }

  get isEnded(): boolean {
    return !this.#expectsStdin && !this.#expectsData;
  }

  get body(): BodySource | undefined {
    return this.#body?.source;
  }

  get data(): BodySource | undefined {
    return this.#data?.source;
  }

  /** Another worker can have all of it. */
  get isRepeatable(): boolean {
    return this.#body?.isRepeatable === true && this.#data?.isRepeatable !== false;
  }

  expects(stream: InputStream): boolean {
    return stream === 'stdin' ? this.#expectsStdin : this.#expectsData;
  }

  open(options: OpenOptions): void {
    this.#body = new RequestBody(options);
    if (!this.#expectsData) return;
    this.#data = new RequestBody({ ...options, announcedBytes: options.announcedDataBytes });
  }

  /** Of a request that has ended: only the end of the stream counts. */
  skip(stream: InputStream, content: Buffer): void {
    if (content.length === 0) this.#finish(stream);
  }

  /**
   * Whether all of it has come with this.
   * @throws UsherdError E_BODY_MISMATCH
   */
  receive(stream: InputStream, content: Buffer): boolean {
    const body = stream === 'stdin' ? this.#body : this.#data;
    if (content.length > 0) {
      body?.write(content);
      return false;
    }
    this.#finish(stream);
    body?.end();
    return this.isEnded;
  }

  /** Lengths that the web server did not know: PHP reads nothing without. */
  tellLengths(params: Params): void {
    const { body, data } = this;
    if (body !== undefined && body.length > 0) params.set('CONTENT_LENGTH', String(body.length));
    if (data !== undefined) params.set('FCGI_DATA_LENGTH', String(data.length));
  }

  rewind(): void {
    this.#body?.source.rewind();
    this.#data?.source.rewind();
  }

  dispose(): void {
    this.#body?.dispose();
    this.#data?.dispose();
  }

  #finish(stream: InputStream): void {
    if (stream === 'stdin') this.#expectsStdin = false;
    else this.#expectsData = false;
  }
}
