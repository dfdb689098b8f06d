// One request on one FastCGI worker: a fresh connection, one request, KEEP_CONN 0, closed at once on END_REQUEST.
import { isUsherdError } from '../../errors.js';
import {
  decodeEndRequest,
  encodeRequestHead,
  ProtocolStatus,
  RecordDecoder,
  RecordEncoder,
  RecordType,
  type RecordSink,
} from '../../fcgi-protocol/index.js';
import { LIMITS } from '../../limits.js';
import { connectWorker, type WorkerSocket } from '../worker-socket.js';
import type { Exchange, ExchangeRequest, ExchangeSink, LossKind } from './exchange.js';

/** There is one request on a worker connection, so its id never changes. */
const REQUEST_ID = 1;

/**
 * Deviation: neither ABORT_REQUEST nor GET_VALUES nor a half-close is ever sent to a worker; too many
 * libraries die of them. An abort is the end of the connection.
 */
export class FastcgiExchange implements Exchange, RecordSink {
  readonly #socket: WorkerSocket;
  readonly #sink: ExchangeSink;
  readonly #request: ExchangeRequest;
  readonly #decoder: RecordDecoder;
  readonly #encoder: RecordEncoder;
  #isConnected = false;
  #isOver = false;
  #isAbandoned = false;
  #abandonedBytes = 0;
  #hasOutput = false;
  #isOutputEnded = false;
  #isBodySent = false;
  #isReadingBody = false;

  constructor(path: string, request: ExchangeRequest, sink: ExchangeSink) {
    this.#request = request;
    this.#sink = sink;
    this.#socket = connectWorker(path);
    this.#decoder = new RecordDecoder(this);
    this.#encoder = new RecordEncoder(this.#socket);
    this.#socket.on('connect', () => {
      this.#isConnected = true;
      this.#sendHead();
    });
    this.#socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    this.#socket.on('drain', () => this.#sendBody());
    this.#socket.on('end', () => this.#onEnd('closed the connection'));
    this.#socket.on('error', (err: NodeJS.ErrnoException) => this.#onEnd(err.code ?? err.message));
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#isOver) this.#socket.resume();
  }

  abandon(): void {
    this.#isAbandoned = true;
    this.resume();
  }

  drop(): void {
    this.#isOver = true;
    this.#decoder.stop();
    this.#socket.destroy();
  }

  record(type: number, requestId: number, content: Buffer): void {
    if (requestId !== REQUEST_ID) {
      this.#lose('protocol', `sent a record for request ${requestId}`);
      return;
    }
    switch (type) {
      case RecordType.STDOUT:
        this.#onOutput(content);
        return;
      case RecordType.STDERR:
        if (content.length > 0) this.#sink.errorOutput(content);
        return;
      case RecordType.END_REQUEST:
        this.#onEndRequest(content);
        return;
      default:
        this.#lose('protocol', `sent a record of type ${type}`);
    }
  }

  #onData(chunk: Buffer): void {
    if (this.#isOver) return;
    try {
      this.#decoder.push(chunk);
    } catch (err) {
      if (!isUsherdError(err)) throw err;
      this.#lose('protocol', err.message);
    }
    this.#flush();
  }

  /** The end may have come with these bytes; then the request has written already. */
  #flush(): void {
    if (!this.#isOver) this.#sink.outputFlush();
  }

  #onOutput(content: Buffer): void {
    if (this.#isOutputEnded) {
      this.#lose('protocol', 'sent STDOUT after its end');
    } else if (content.length === 0) {
      this.#isOutputEnded = true;
    } else {
      this.#hasOutput = true;
      if (this.#isAbandoned) this.#countAbandoned(content.length);
      else this.#sink.output(content);
    }
  }

  /** A program that goes on writing for nobody is told so: its next write fails. */
  #countAbandoned(bytes: number): void {
    this.#abandonedBytes += bytes;
    if (this.#abandonedBytes <= LIMITS.abandonedOutputMaxBytes) return;
    this.drop();
    this.#sink.answered();
  }

  #onEndRequest(content: Buffer): void {
    const { protocolStatus } = decodeEndRequest(content);
    if (protocolStatus !== ProtocolStatus.REQUEST_COMPLETE && !this.#hasOutput) {
      this.#lose('undelivered', `refused the request with protocol status ${protocolStatus}`);
      return;
    }
    this.drop(); // at once: libfcgi and php-cgi accept nothing else before (wire checklist item 72)
    this.#sink.answered();
  }

  #onEnd(detail: string): void {
    if (this.#isOver) return;
    if (this.#isOutputEnded) {
      this.drop();
      this.#sink.answered();
      return;
    }
    // unix(7): a worker that ended with a connection in its accept queue, or with unread bytes, leaves a reset.
    const isUnread = detail === 'ECONNRESET' && !this.#hasOutput;
    this.#lose(!this.#isConnected ? 'undelivered' : isUnread ? 'unread' : 'died', detail);
  }

  #lose(kind: LossKind, detail: string): void {
    if (this.#isOver) return;
    this.drop();
    this.#sink.lost(kind, detail);
  }

  /** BEGIN, PARAMS and as much of the body as is in memory leave in one write. */
  #sendHead(): void {
    this.#socket.cork();
    this.#socket.write(encodeRequestHead(REQUEST_ID, this.#request.role, 0, this.#request.params));
    this.#sendBody();
    this.#socket.uncork();
  }

  #sendBody(): void {
    if (this.#isReadingBody || this.#isBodySent || this.#isOver) return;
    this.#isReadingBody = true;
    this.#request.body.read(LIMITS.recordContentMaxBytes, (err, bytes) => {
      this.#isReadingBody = false;
      if (this.#isOver) return;
      if (err !== null) {
        this.#lose('protocol', err.message);
      } else if (bytes === null) {
        this.#isBodySent = true;
        this.#encoder.endStream(RecordType.STDIN, REQUEST_ID);
      } else if (this.#encoder.stream(RecordType.STDIN, REQUEST_ID, bytes)) {
        this.#sendBody();
      }
    });
  }
}
