// The answer of a worker on its way to the web server: head checked and held back until whole, body cut where HTTP has none.
import type { ErrorCode } from '../errors.js';
import {
  BUFFERING_NAME,
  headBlock,
  ResponseHeadParser,
  type ResponseHead,
} from './response-head.js';

interface AnswerOptions {
  readonly method: string;
  /** '' or the body by which the runtime says that there is no such script. */
  readonly missingScriptBody: string;
  /** The page that takes the place of that body. */
  replace(code: ErrorCode): Buffer;
  /** All that is to be sent, if this head makes it an answer that has to come to its end before anything leaves. */
  readonly hold: ((head: ResponseHead) => Buffer | undefined) | undefined;
}

const NOTHING: readonly Buffer[] = [];

/**
 * What a worker sends in one turn is gathered, so that an answer that comes whole leaves whole, with its length: a web server
 * that knows the length writes to its client once, where it writes a last chunk otherwise.
 */
export class Answer {
  readonly #options: AnswerOptions;
  #parser: ResponseHeadParser | undefined = new ResponseHeadParser();
  /** Until it is sent. */
  #head: ResponseHead | undefined;
  #gathered: Buffer[] = [];
  /** What was gathered leaves with the end only. */
  #isHeld = false;
  /** Some of it was given away. */
  isTaken = false;
  bodyBytes = 0;
  /** 0 before the head is complete. */
  status = 0;
  #announcedBytes: number | undefined;
  /** The same, where there is a body at all. */
  #expectedBytes: number | undefined;
  #hasBody = true;
  isBegun = false;
  /** Sent beyond the announced length. */
  excessBytes = 0;
  /** It must not wait on disk. */
  isLive = false;
  /** Names of headers that did not go on. */
  struck: readonly string[] = [];

  constructor(options: AnswerOptions) {
    this.#options = options;
  }

  get isHeadComplete(): boolean {
    return this.#parser === undefined;
  }

  /** The worker announced more than it sent. */
  get isShort(): boolean {
    return this.#expectedBytes !== undefined && this.bodyBytes < this.#expectedBytes;
  }

  /** @throws UsherdError E_WORKER_PROTOCOL */
  push(content: Buffer): void {
    this.isBegun = true;
    if (this.#isHeld) return;
    if (this.#parser === undefined) this.#takeBody(content);
    else if (this.#parser.push(content)) this.#onHead(this.#parser);
  }

  /** What goes to the web server now; valid as long as what was pushed. */
  take(): readonly Buffer[] {
    if (this.#isHeld) return NOTHING;
    return this.#gather(this.#announcedBytes);
  }

  /** The rest, once the worker has ended its answer. */
  takeLast(): readonly Buffer[] {
    const isLengthKnown = this.#hasBody && this.#head?.hasRoom === true;
    return this.#gather(isLengthKnown ? this.bodyBytes : this.#announcedBytes);
  }

  #gather(contentLength: number | undefined): readonly Buffer[] {
    const gathered = this.#gathered;
    if (this.#head !== undefined) {
      gathered.unshift(headBlock(this.#head.lines, contentLength));
      this.#head = undefined;
    } else if (gathered.length === 0) {
      return NOTHING;
    }
    this.#gathered = [];
    this.isTaken = true;
    return gathered;
  }

  #onHead(parser: ResponseHeadParser): void {
    this.#parser = undefined;
    const { head, rest } = parser;
    this.status = head.status;
    this.struck = head.struck;
    this.isLive = head.isLive;
    const held = this.#options.hold?.(head);
    if (held !== undefined) {
      this.#isHeld = true;
      this.#gathered.push(held);
    } else if (this.#isScriptMissing(head.status, rest)) {
      this.#hasBody = false;
      this.#gathered.push(this.#options.replace('E_SCRIPT_MISSING'));
    } else {
      this.#hasBody = head.hasBody && this.#options.method !== 'HEAD';
      this.#announcedBytes = head.hasBody ? head.contentLength : undefined;
      this.#expectedBytes = this.#hasBody ? head.contentLength : undefined;
      this.#head = head;
      this.#takeBody(rest);
    }
  }

  #isScriptMissing(status: number, body: Buffer): boolean {
    const { missingScriptBody } = this.#options;
    return (
      status === 404 && missingScriptBody !== '' && body.toString('latin1') === missingScriptBody
    );
  }

  /** Bytes beyond the announced length are dropped, as are those that an answer cannot have. */
  #takeBody(content: Buffer): void {
    if (!this.#hasBody) return;
    const room =
      this.#expectedBytes === undefined ? content.length : this.#expectedBytes - this.bodyBytes;
    const taken = room >= content.length ? content : content.subarray(0, Math.max(0, room));
    this.bodyBytes += taken.length;
    this.excessBytes += content.length - taken.length;
    if (taken.length > 0) this.#gathered.push(taken);
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
  const isOrder = (name: string): boolean => name.startsWith('x-') && name !== BUFFERING_NAME;
  const orders = struck.filter(isOrder).join(', ');
  if (orders !== '') {
    const text = `dropped from the answer, because it gives orders to web servers: ${orders.slice(0, NAMES_MAX_CHARS)}`;
    found.push({ kind: 'struck', text });
  }
  return found;
}
