// One request on one HTTP/1.1 worker: a fresh connection, one request, `Connection: close`. Node's own client knows the protocol.
import http from 'node:http';
import { LIMITS } from '../../limits.js';
import { mayHaveBody } from '../methods.js';
import { countRead } from '../read-garbage.js';
import { connectWorker, lossOnTheWay } from '../worker-socket.js';
import type { Exchange, ExchangeRequest, ExchangeSink, LossKind } from './exchange.js';
import { cgiHead } from './http-answer.js';
import { httpRequestHead, type HttpRequestHead } from './http-request.js';

/**
 * There is no kept connection, so there is no race against a worker that closes it: what came to the connection
 * came to this request. HTTP has no way to say that a request was taken, so one that was sent counts as delivered.
 */
export class HttpExchange implements Exchange {
  readonly #path: string;
  readonly #sink: ExchangeSink;
  readonly #request: ExchangeRequest;
  #client: http.ClientRequest | undefined;
  #answer: http.IncomingMessage | undefined;
  #isConnected = false;
  #isOver = false;
  #isPaused = false;
  #isFlushDue = false;

  constructor(path: string, request: ExchangeRequest, sink: ExchangeSink) {
    this.#path = path;
    this.#request = request;
    this.#sink = sink;
    const head = httpRequestHead(request.params);
    // Not inside this call: whoever made us does not know us yet.
    if (head === undefined)
      setImmediate(() => this.#lose('protocol', 'the method cannot be asked'));
    else this.#open(head);
  }

  pause(): void {
    this.#isPaused = true;
    this.#answer?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (!this.#isOver) this.#answer?.resume();
  }

  drop(): void {
    this.#isOver = true;
    this.#client?.destroy();
  }

  /** Without a length the first bytes of the body tell whether there is a body at all. */
  #open(head: HttpRequestHead): void {
    const length = this.#request.params.get('CONTENT_LENGTH');
    if (length !== undefined) {
      this.#send(head, ['Content-Length', length]);
      this.#sendBody();
      return;
    }
    this.#request.body.read(LIMITS.bodyReadMaxBytes, (err, bytes) => {
      if (this.#isOver) return;
      if (err !== null) {
        setImmediate(() => this.#lose('protocol', err.message));
      } else if (bytes === null) {
        this.#send(head, mayHaveBody(head.method) ? ['Content-Length', '0'] : []).end();
      } else {
        this.#sendPart(this.#send(head, ['Transfer-Encoding', 'chunked']), bytes);
      }
    });
  }

  #send(head: HttpRequestHead, framing: readonly string[]): http.ClientRequest {
    const client = http.request({
      createConnection: () => connectWorker(this.#path).once('connect', () => this.#onConnect()),
      method: head.method,
      path: head.target,
      headers: [...head.headers, ...framing],
      maxHeaderSize: LIMITS.responseHeadMaxBytes,
    });
    this.#client = client;
    client.on('response', (answer) => this.#onAnswer(answer, head.prefix));
    client.on('upgrade', () => this.#lose('protocol', 'switched to another protocol'));
    client.on('error', (err: NodeJS.ErrnoException) => this.#onError(err));
    client.on('close', () => {
      // With an answer it is the answer's end that counts: it may still wait to be read.
      if (this.#answer === undefined) this.#lose('died', 'closed the connection');
    });
    return client;
  }

  #onConnect(): void {
    this.#isConnected = true;
  }

  #onAnswer(answer: http.IncomingMessage, prefix: string): void {
    if (this.#isOver) return;
    this.#answer = answer;
    answer.on('data', (chunk: Buffer) => this.#onBody(chunk));
    answer.on('end', () => this.#onEnd(answer));
    answer.on('error', (err: NodeJS.ErrnoException) => this.#onError(err));
    if (this.#isPaused) answer.pause();
    const { statusCode: status = 0, statusMessage: reason = '', rawHeaders: headers } = answer;
    this.#sink.output(cgiHead({ status, reason, headers }, prefix));
    this.#flushSoon();
  }

  #onBody(chunk: Buffer): void {
    if (this.#isOver) return;
    countRead(chunk.length);
    this.#sink.output(chunk);
    this.#flushSoon();
  }

  /** One read of the socket gives many small chunks in one turn: they leave in one write. */
  #flushSoon(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    process.nextTick(() => {
      this.#isFlushDue = false;
      if (!this.#isOver) this.#sink.outputFlush();
    });
  }

  #onEnd(answer: http.IncomingMessage): void {
    if (this.#isOver) return;
    if (!answer.complete) {
      this.#lose('died', 'closed the connection');
      return;
    }
    this.drop();
    this.#sink.answered();
  }

  #onError(err: NodeJS.ErrnoException): void {
    const detail = err.code ?? err.message;
    if (err.code?.startsWith('HPE_') === true) this.#lose('protocol', detail);
    else this.#lose(this.#isConnected ? 'died' : lossOnTheWay(err.code), detail);
  }

  #lose(kind: LossKind, detail: string): void {
    if (this.#isOver) return;
    this.drop();
    this.#sink.lost(kind, detail);
  }

  #sendBody(): void {
    const client = this.#client;
    if (this.#isOver || client === undefined) return;
    this.#request.body.read(LIMITS.bodyReadMaxBytes, (err, bytes) => {
      if (this.#isOver) return;
      if (err !== null) this.#lose('protocol', err.message);
      else if (bytes !== null) this.#sendPart(client, bytes);
      else client.end(this.#onAllTaken);
    });
  }

  /** What was read is valid until the next read, so that has to wait for the write. */
  #sendPart(client: http.ClientRequest, bytes: Buffer): void {
    if (this.#request.body.isAtEnd) client.end(bytes, this.#onAllTaken);
    else client.write(bytes, this.#onTaken);
  }

  readonly #onTaken = (err?: Error | null): void => {
    if (!err) this.#sendBody();
  };

  /** Not called where a write has failed. */
  readonly #onAllTaken = (): void => {
    if (!this.#isOver) this.#request.body.release();
  };
}
