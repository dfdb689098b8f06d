// One request on one SCGI worker: a netstring of params, the body, and an answer that ends with the connection.
import { LIMITS } from '../../limits.js';
import { UNKNOWN_LENGTH } from '../body-source.js';
import type { Params } from '../resolve.js';
import { connectWorkerInto, lossOnTheWay, type WorkerSocket } from '../worker-socket.js';
import type { Exchange, ExchangeRequest, ExchangeSink, LossKind } from './exchange.js';

/** CONTENT_LENGTH comes first, and always; the rest in any order. Names and values end in NUL, so they hold none. */
function encodeScgiHead(params: Params): Buffer {
  const pairs = [
    ['CONTENT_LENGTH', params.get('CONTENT_LENGTH') ?? '0'],
    ['SCGI', '1'],
    ...[...params].filter(([name]) => name !== 'CONTENT_LENGTH' && name !== 'SCGI'),
  ];
  const text = pairs.map(([name, value]) => `${name}\0${value}\0`).join('');
  return Buffer.from(`${text.length}:${text},`, 'latin1');
}

export class ScgiExchange implements Exchange {
  readonly #socket: WorkerSocket;
  readonly #sink: ExchangeSink;
  readonly #request: ExchangeRequest;
  #isConnected = false;
  #isOver = false;
  #hasOutput = false;

  constructor(path: string, request: ExchangeRequest, sink: ExchangeSink) {
    this.#request = request;
    this.#sink = sink;
    this.#socket = connectWorkerInto(path, (bytes) => this.#onData(bytes));
    this.#socket.on('connect', () => {
      this.#isConnected = true;
      if (request.body.length === UNKNOWN_LENGTH)
        this.#lose('protocol', 'needs a length of the body');
      else this.#sendHead();
    });
    this.#socket.on('end', () => this.#onEnd());
    this.#socket.on('error', (err: NodeJS.ErrnoException) => this.#onError(err));
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#isOver) this.#socket.resume();
  }

  drop(): void {
    this.#isOver = true;
    this.#socket.destroy();
  }

  #onData(chunk: Buffer): void {
    if (this.#isOver) return;
    this.#hasOutput = true;
    this.#sink.output(chunk);
    this.#flush();
  }

  /** The end may have come with these bytes; then the request has written already. */
  #flush(): void {
    if (!this.#isOver) this.#sink.outputFlush();
  }

  /** Deviation: SCGI cannot tell a whole answer from a cut one, but for the Content-Length that the answer may have. */
  #onEnd(): void {
    if (this.#isOver) return;
    if (!this.#hasOutput) {
      this.#lose('died', 'closed the connection');
      return;
    }
    this.drop();
    this.#sink.answered();
  }

  /** unix(7): a worker that has answered, and left some of the body unread, leaves a reset behind its answer. */
  #onError({ code, message }: NodeJS.ErrnoException): void {
    if (code === 'ECONNRESET' && this.#hasOutput) this.#onEnd();
    else this.#lose(this.#isConnected ? 'died' : lossOnTheWay(code), code ?? message);
  }

  #lose(kind: LossKind, detail: string): void {
    if (this.#isOver) return;
    this.drop();
    this.#sink.lost(kind, detail);
  }

  #sendHead(): void {
    this.#socket.cork();
    this.#socket.write(encodeScgiHead(this.#request.params));
    this.#sendBody();
    this.#socket.uncork();
  }

  /** What was read is valid until the next read, so that has to wait for the write. */
  #sendBody(): void {
    const { body } = this.#request;
    body.read(LIMITS.bodyReadMaxBytes, (err, bytes) => {
      if (this.#isOver) return;
      if (err !== null) this.#lose('protocol', err.message);
      else if (bytes !== null)
        this.#socket.write(bytes, body.isAtEnd ? this.#onAllTaken : this.#onTaken);
      else body.release();
    });
  }

  readonly #onTaken = (err?: Error | null): void => {
    if (!err && !this.#isOver) this.#sendBody();
  };

  readonly #onAllTaken = (err?: Error | null): void => {
    if (!err && !this.#isOver) this.#request.body.release();
  };
}
