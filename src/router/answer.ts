// The answer of a worker on its way to the web server: head checked and held back until whole, body cut where HTTP has none.
import type { ErrorCode } from '../errors.js';
import { ResponseHeadParser } from './response-head.js';

export class Answer {
  readonly #method: string;
  readonly #missingScriptBody: string;
  readonly #replace: (code: ErrorCode) => Buffer;
  #parser: ResponseHeadParser | undefined = new ResponseHeadParser();
  #head: Buffer | undefined;
  bodyBytes = 0;
  /** 0 before the head is complete. */
  status = 0;
  #expectedBytes: number | undefined;
  #hasBody = true;
  isBegun = false;

  constructor(method: string, missingScriptBody: string, replace: (code: ErrorCode) => Buffer) {
    this.#method = method;
    this.#missingScriptBody = missingScriptBody;
    this.#replace = replace;
  }

  get isHeadComplete(): boolean {
    return this.#parser === undefined;
  }

  /** The worker announced more than it sent. */
  get isShort(): boolean {
    return this.#expectedBytes !== undefined && this.bodyBytes < this.#expectedBytes;
  }

  /** Since the last push: it goes out in one record with what push returned (HAProxy of Debian 12 dies of less). */
  takeHead(): Buffer | undefined {
    const head = this.#head;
    this.#head = undefined;
    return head;
  }

  /**
   * @returns what goes to the web server now, behind the head; undefined while that is not complete, and where the answer is held.
   * @throws UsherdError E_WORKER_PROTOCOL
   */
  push(content: Buffer): Buffer | undefined {
    this.isBegun = true;
    if (this.#parser === undefined) return this.#takeBody(content);
    if (!this.#parser.push(content)) return undefined;
    return this.#onHead(this.#parser);
  }

  #onHead(parser: ResponseHeadParser): Buffer | undefined {
    this.#parser = undefined;
    const { head, rest } = parser;
    this.status = head.status;
    if (this.#isScriptMissing(head.status, rest)) {
      this.#hasBody = false;
      return this.#replace('E_SCRIPT_MISSING');
    }
    this.#hasBody = head.hasBody && this.#method !== 'HEAD';
    this.#expectedBytes = this.#hasBody ? head.contentLength : undefined;
    this.#head = head.bytes;
    return this.#takeBody(rest);
  }

  #isScriptMissing(status: number, body: Buffer): boolean {
    return (
      status === 404 &&
      this.#missingScriptBody !== '' &&
      body.toString('latin1') === this.#missingScriptBody
    );
  }

  /** Bytes beyond the announced length are dropped, as are those that an answer cannot have. */
  #takeBody(content: Buffer): Buffer {
    if (!this.#hasBody) return content.subarray(0, 0);
    const room =
      this.#expectedBytes === undefined ? content.length : this.#expectedBytes - this.bodyBytes;
    const taken = room >= content.length ? content : content.subarray(0, Math.max(0, room));
    this.bodyBytes += taken.length;
    return taken;
  }
}
