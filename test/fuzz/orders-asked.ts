// One request of a random order: how it is asked, what the worker is told to do with it, and what may come of it.
import assert from 'node:assert/strict';
import { RecordType } from '../../src/fcgi-protocol/index.js';
import { parseCgi, type FrontAnswer, type FrontClient } from '../support/front-client.js';
import { waitFor } from '../support/wait-for.js';
import type { OrderWorker } from '../support/order-workers.js';
import type { Ask, HoldPlace } from './orders-steps.js';

/** Whoever waits so long waits for ever: a worker starts in less, and nothing else takes time. */
const ANSWER_MS = 15_000;
const BODY = Buffer.alloc(2_097_152, 'The body of a request, and what its worker makes of it. ');

/** A front connection and what became of it. */
export interface Front {
  readonly client: FrontClient;
  /** It is closed with its last answer. */
  isSpent: boolean;
  /** An answer on it may have been cut, and every other with it. */
  mayBeCut: boolean;
  readonly ids: Set<number>;
}

/** What else is asked of the worker. */
export interface Told {
  readonly tag: string;
  readonly directory: string;
  readonly hold?: HoldPlace | undefined;
  readonly end?: 'die' | 'cut' | undefined;
}

/** What the round knows of its workers. */
export interface Circumstances {
  /** A worker was killed in this round: its application may back off. */
  hasKilled: boolean;
  /** Workers end by themselves: what they have not read is lost. */
  readonly exits: boolean;
  /** Bodies are read ahead. */
  readonly buffers: boolean;
  readonly protocol: OrderWorker['protocol'];
}

const isSafe = (method: string): boolean => method === 'GET' || method === 'HEAD';

function adler32(bytes: Buffer): string {
  let [a, b] = [1, 0];
  for (const byte of bytes) {
    a = (a + byte) % 65_521;
    b = (b + a) % 65_521;
  }
  return (((b << 16) | a) >>> 0).toString(16).padStart(8, '0');
}

const sums = new Map<number, string>();
function gotOf(bytes: number): string {
  const known = sums.get(bytes) ?? `${bytes}-${adler32(BODY.subarray(0, bytes))}`;
  sums.set(bytes, known);
  return known;
}

export function queryOf(ask: Ask, told: Told): string {
  const reads = { all: -1, half: ask.bodyBytes >> 1, none: 0 };
  return Object.entries({
    ...{ tag: told.tag, dir: told.directory, hold: told.hold ?? '', end: told.end ?? '' },
    ...{ read: reads[ask.reads], out: ask.answerBytes, pieces: ask.pieces },
    ...{ length: ask.hasLength ? 1 : 0, err: ask.hasStderr ? 1 : 0 },
  })
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

export class Asked {
  readonly ask: Ask;
  readonly told: Told;
  readonly front: Front;
  readonly id: number;
  /** Nobody waits for it any more. */
  hasLeft = false;
  /** Its worker may have been killed so often while it had it. */
  exposures = 0;
  readonly #answer: FrontAnswer;

  constructor(front: Front, ask: Ask, told: Told, params: ReadonlyMap<string, string>) {
    this.front = front;
    this.ask = ask;
    this.told = told;
    this.id = freeId(front);
    front.ids.add(this.id);
    front.client.head(this.id, params, ask.keep);
    this.#answer = front.client.answer(this.id);
    if (!ask.keep) front.isSpent = true;
    if (told.end === 'cut') front.mayBeCut = true;
  }

  get isEnded(): boolean {
    return this.#answer.end !== undefined || this.#isConnectionOver;
  }

  get #isConnectionOver(): boolean {
    const { client } = this.front;
    return client.isClosed || client.isEnded || client.isBroken;
  }

  /** A part of the body; with the last one, its end. */
  upload(part: number, parts: number): void {
    const { encoder } = this.front.client;
    const at = (share: number): number => Math.floor((this.ask.bodyBytes * share) / parts);
    const content = BODY.subarray(at(part), at(part + 1));
    if (content.length > 0) encoder.stream(RecordType.STDIN, this.id, content);
    if (part + 1 === parts) encoder.endStream(RecordType.STDIN, this.id);
  }

  /** @throws if it does not end, or not as it may */
  async settled(around: Circumstances): Promise<void> {
    try {
      await waitFor('its end', () => this.hasLeft || this.isEnded, ANSWER_MS);
      if (!this.hasLeft) this.#verify(around);
    } catch (err) {
      throw new Error(`${this.told.tag} ${JSON.stringify(this.ask)}: ${this.#seen()}`, {
        cause: err,
      });
    }
    if (this.#answer.end !== undefined && !this.hasLeft) this.front.ids.delete(this.id);
  }

  #seen(): string {
    const { client } = this.front;
    const text = Buffer.concat(this.#answer.stdout).subarray(0, 300).toString('latin1');
    const { isClosed, isEnded, isBroken } = client;
    return JSON.stringify({
      ...{ exposures: this.exposures, told: this.told, end: this.#answer.end, text },
      ...{ isClosed, isEnded, isBroken, mayBeCut: this.front.mayBeCut },
    });
  }

  #verify(around: Circumstances): void {
    if (this.#answer.end === undefined) {
      assert.ok(this.front.mayBeCut, 'the connection was closed without an answer');
      return;
    }
    assert.equal(this.#answer.endCount, 1);
    const { status, headers } = parseCgi(this.#answer);
    if (status === 200) this.#verifyOwn(around);
    else this.#verifyFailure(`${status} ${headers.get('x-usherd-reason') ?? ''}`, around);
  }

  #verifyFailure(what: string, around: Circumstances): void {
    const mayDie = this.#mayDie(around);
    const allowed = [
      ...(mayDie ? ['502 worker-died'] : []),
      ...(mayDie && around.protocol === 'scgi' ? ['502 bad-response'] : []),
      // One that ends by itself after a first request whose client has left has never been seen to answer.
      ...(around.hasKilled || around.exits ? ['503 crash-loop'] : []),
    ];
    assert.ok(allowed.includes(what), `it got ${what}`);
  }

  /** Nobody can be asked again for it. */
  #mayDie({ exits, protocol, buffers }: Circumstances): boolean {
    const { exposures, ask, told } = this;
    // Only FastCGI tells that nothing was read; otherwise the second of two in a row that end is one too many.
    if (told.end !== undefined || exposures > 1 || (exits && protocol !== 'fastcgi')) return true;
    // What was passed on as it came cannot be sent twice.
    const isRepeatable = isSafe(ask.method) && (buffers || ask.bodyBytes === 0);
    if (exposures === 0) return exits && !isRepeatable;
    return !isRepeatable || told.hold === 'mid';
  }

  #verifyOwn({ protocol }: Circumstances): void {
    const { ask, told } = this;
    const { headers, body } = parseCgi(this.#answer);
    assert.notEqual(told.end, 'die', 'an answer of a worker that had died before');
    assert.equal(headers.get('x-tag'), told.tag);
    const reads = { all: ask.bodyBytes, half: ask.bodyBytes >> 1, none: 0 };
    assert.equal(headers.get('x-got'), gotOf(reads[ask.reads]));
    if (ask.hasLength) assert.equal(headers.get('content-length'), String(ask.answerBytes));
    const whole = Buffer.alloc(ask.method === 'HEAD' ? 0 : ask.answerBytes, `${told.tag}.`);
    // SCGI has no end but that of the connection.
    const mayBeShort =
      protocol === 'scgi' && !ask.hasLength && (this.exposures > 0 || told.end === 'cut');
    if (mayBeShort) assert.ok(body.equals(whole.subarray(0, body.length)));
    else assert.ok(body.equals(whole), `${body.length} bytes instead of ${whole.length}`);
  }
}

function freeId({ ids }: Front): number {
  for (let id = 1; ; id += 1) if (!ids.has(id)) return id;
}
