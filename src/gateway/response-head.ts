// The head of a CGI answer: bytes in, status and headers out. It knows no socket and no HTTP.
import { UsherdError } from '../errors.js';
import { LIMITS } from '../limits.js';

export interface ResponseHead {
  readonly status: number;
  /** Name, value, name, value, …: the order and the repetitions of the answer. */
  readonly headers: readonly string[];
  /** Bytes of the body that came with the head; owned by the caller. */
  readonly body: Buffer;
}

/** Headers that only the gateway itself may send on its connection to the browser (RFC 9110 §7.6.1). */
const OURS = new Set(['connection', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade']);

const LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/;

const refuse = (detail: string): UsherdError => new UsherdError('E_WORKER_PROTOCOL', detail);

function statusOf(value: string): number {
  const status = /^(\d{3})(?: |$)/.exec(value)?.[1];
  if (status === undefined || Number(status) < 200 || Number(status) > 599) {
    throw refuse('the Status line of the answer is not valid');
  }
  return Number(status);
}

function parse(text: string, body: Buffer): ResponseHead {
  const headers: string[] = [];
  let status: number | undefined;
  let hasLocation = false;
  for (const line of text.split(/\r?\n/)) {
    const [, name, value] = LINE.exec(line) ?? [];
    if (name === undefined || value === undefined) throw refuse('a header line has no name');
    const key = name.toLowerCase();
    if (key === 'status') status = statusOf(value);
    else if (!OURS.has(key)) headers.push(name, value);
    hasLocation ||= key === 'location';
  }
  return { status: status ?? (hasLocation ? 302 : 200), headers, body };
}

/** Collects output until the blank line. */
export class HeadCollector {
  #collected = Buffer.alloc(0);

  /**
   * @returns the head once it is complete; call no more after that
   * @throws UsherdError E_WORKER_PROTOCOL
   */
  push(content: Buffer): ResponseHead | undefined {
    this.#collected = Buffer.concat([this.#collected, content]);
    const text = this.#collected.toString('latin1');
    const end = /\r?\n\r?\n/.exec(text);
    if ((end?.index ?? text.length) > LIMITS.responseHeadMaxBytes) {
      throw refuse('the head of the answer is over the limit');
    }
    if (end === null) return undefined;
    return parse(text.slice(0, end.index), this.#collected.subarray(end.index + end[0].length));
  }
}
