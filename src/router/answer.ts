// The answer of a worker on its way to the web server: head checked and held back until whole, body cut where HTTP has none.
import type { ErrorCode } from '../errors.js';
import { ResponseHeadParser, type ResponseHead } from './response-head.js';

interface AnswerOptions {
  readonly method: string;
  /** '' or the body by which the runtime says that there is no such script. */
  readonly missingScriptBody: string;
  /** The page that takes the place of that body. */
  replace(code: ErrorCode): Buffer;
  /** All that is to be sent, if this head makes it an answer that has to come to its end before anything leaves. */
  readonly hold: ((head: ResponseHead) => Buffer | undefined) | undefined;
}

export class Answer {
  readonly #options: AnswerOptions;
  #parser: ResponseHeadParser | undefined = new ResponseHeadParser();
  #head: Buffer | undefined;
  bodyBytes = 0;
  /** 0 before the head is complete. */
  status = 0;
  #expectedBytes: number | undefined;
  #hasBody = true;
  isBegun = false;
  /** Sent beyond the announced length. */
  excessBytes = 0;
  /** Names of headers that did not go on. */
  struck: readonly string[] = [];
  #held: Buffer | undefined;

  constructor(options: AnswerOptions) {
    this.#options = options;
  }

  get isHeadComplete(): boolean {
    return this.#parser === undefined;
  }

  /** To be sent with the end; undefined: everything was sent. */
  get held(): Buffer | undefined {
    return this.#held;
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
    if (this.#held !== undefined) return undefined;
    if (this.#parser === undefined) return this.#takeBody(content);
    if (!this.#parser.push(content)) return undefined;
    return this.#onHead(this.#parser);
  }

  #onHead(parser: ResponseHeadParser): Buffer | undefined {
    this.#parser = undefined;
    const { head, rest } = parser;
    this.status = head.status;
    this.struck = head.struck;
    this.#held = this.#options.hold?.(head);
    if (this.#held !== undefined) return undefined;
    if (this.#isScriptMissing(head.status, rest)) {
      this.#hasBody = false;
      return this.#options.replace('E_SCRIPT_MISSING');
    }
    this.#hasBody = head.hasBody && this.#options.method !== 'HEAD';
    this.#expectedBytes = this.#hasBody ? head.contentLength : undefined;
    this.#head = head.bytes;
    return this.#takeBody(rest);
  }

  #isScriptMissing(status: number, body: Buffer): boolean {
    const { missingScriptBody } = this.#options;
    return (
      status === 404 && missingScriptBody !== '' && body.toString('latin1') === missingScriptBody
    );
  }

  /** Bytes beyond the announced length are dropped, as are those that an answer cannot have. */
  #takeBody(content: Buffer): Buffer {
    if (!this.#hasBody) return content.subarray(0, 0);
    const room =
      this.#expectedBytes === undefined ? content.length : this.#expectedBytes - this.bodyBytes;
    const taken = room >= content.length ? content : content.subarray(0, Math.max(0, room));
    this.bodyBytes += taken.length;
    this.excessBytes += content.length - taken.length;
    return taken;
  }
}

interface Oddity {
  readonly kind: string;
  readonly text: string;
}

const NONE: readonly Oddity[] = [];
const NAMES_MAX_CHARS = 200;

/** For the owner's log: what was wrong with an answer that was delivered. Framing headers are not: many libraries send them. */
export function odditiesOf(
  { excessBytes, struck }: Pick<Answer, 'excessBytes' | 'struck'>,
  exitStatus: number,
): readonly Oddity[] {
  if (excessBytes === 0 && exitStatus === 0 && struck.length === 0) return NONE;
  const found: Oddity[] = [];
  if (excessBytes > 0) {
    const text = `the answer was ${excessBytes} bytes longer than its Content-Length; they were dropped`;
    found.push({ kind: 'excess', text });
  }
  if (exitStatus !== 0) {
    found.push({ kind: 'status', text: `the program ended its answer with status ${exitStatus}` });
  }
  // One kind, whatever the names: a program invents as many as it likes.
  const orders = struck.filter((name) => name.startsWith('x-')).join(', ');
  if (orders !== '') {
    const text = `dropped from the answer, because it gives orders to web servers: ${orders.slice(0, NAMES_MAX_CHARS)}`;
    found.push({ kind: 'struck', text });
  }
  return found;
}
