// One request on one FastCGI worker: on a connection of its own while it lasts, which is then closed at once or kept.
import type { ConnectionReuse } from '../../config/index.js';
import { isUsherdError } from '../../errors.js';
import {
  decodeEndRequest,
  encodeRequestHead,
  Flag,
  ProtocolStatus,
  RecordType,
  type WriteDone,
} from '../../fcgi-protocol/index.js';
import { LIMITS } from '../../limits.js';
import { isSafeMethod } from '../methods.js';
import { lossOnTheWay } from '../worker-socket.js';
import type { BodySource } from '../body-source.js';
import type { Exchange, ExchangeRequest, ExchangeSink, LossKind } from './exchange.js';
import type {
  ConnectionUser,
  FastcgiConnection,
  FastcgiConnections,
} from './fastcgi-connections.js';

/**
 * Deviation: neither ABORT_REQUEST nor GET_VALUES nor a half-close is ever sent with a request to a worker; too many
 * libraries die of them. An abort is the end of the connection.
 */
export class FastcgiExchange implements Exchange, ConnectionUser {
  readonly #connections: FastcgiConnections;
  readonly #sink: ExchangeSink;
  readonly #request: ExchangeRequest;
  /** Whether it may be sent twice. */
  readonly #isSafe: boolean;
  readonly #mayKeep: boolean;
  #connection: FastcgiConnection;
  #requestId: number;
  #isConnected = false;
  #isOver = false;
  /** A record has come: the worker has read of the request. */
  #hasBegun = false;
  #hasOutput = false;
  #isOutputEnded = false;
  #isEnding = false;
  #exitStatus = 0;
  /** Something came after the end: who knows what else does. */
  #isStained = false;
  /** The first write did not fail. */
  #isHeadTaken = false;
  #isStdinSent = false;
  /** All that the worker gets is written. */
  #isBodySent = false;

  constructor(
    connections: FastcgiConnections,
    reuse: ConnectionReuse,
    request: ExchangeRequest,
    sink: ExchangeSink,
  ) {
    this.#connections = connections;
    this.#request = request;
    this.#sink = sink;
    this.#isSafe = isSafeMethod(request.params.get('REQUEST_METHOD') ?? '');
    const isBodiless = request.body.length === 0;
    this.#mayKeep = request.data === undefined && connections.mayKeep(reuse, isBodiless);
    this.#connection = connections.open(this.#isSafe);
    this.#requestId = this.#connection.nextRequestId();
    this.#connection.use(this);
    if (this.#connection.isReused) this.onConnect();
  }

  pause(): void {
    this.#connection.socket.pause();
  }

  resume(): void {
    if (!this.#isOver) this.#connection.socket.resume();
  }

  drop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#connection.close();
  }

  // --- records in ----------------------------------------------------------------------------

  record(type: number, requestId: number, content: Buffer): void {
    if (this.#isEnding) {
      this.#isStained = true;
      return;
    }
    if (requestId !== this.#requestId) {
      this.#onForeign(requestId);
      return;
    }
    this.#hasBegun = true;
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

  onData(chunk: Buffer): void {
    if (this.#isOver) return;
    try {
      this.#connection.decoder.push(chunk);
    } catch (err) {
      if (!isUsherdError(err)) throw err;
      this.#lose('protocol', err.message);
    }
    this.#passOn();
  }

  /** The end may have come with these bytes; then the request has written already. */
  #passOn(): void {
    if (this.#isOver) return;
    if (this.#isEnding) this.#finish();
    else this.#sink.outputFlush();
  }

  #onOutput(content: Buffer): void {
    if (this.#isOutputEnded) {
      this.#lose('protocol', 'sent STDOUT after its end');
    } else if (content.length === 0) {
      this.#isOutputEnded = true;
    } else {
      this.#hasOutput = true;
      this.#sink.output(content);
    }
  }

  #onEndRequest(content: Buffer): void {
    const { protocolStatus, appStatus } = decodeEndRequest(content);
    if (protocolStatus !== ProtocolStatus.REQUEST_COMPLETE && !this.#hasOutput) {
      this.#lose('undelivered', `refused the request with protocol status ${protocolStatus}`);
      return;
    }
    this.#exitStatus = appStatus;
    this.#isEnding = true;
  }

  /** At once: libfcgi and php-cgi accept nothing else before (wire checklist item 72). */
  #finish(): void {
    const { socket, decoder } = this.#connection;
    const isRead = decoder.isAtBoundary && !this.#isStained;
    const isClean = isRead && this.#isBodySent && socket.writableLength === 0;
    if (this.#mayKeep && isClean) {
      this.#isOver = true;
      this.#connections.keep(this.#connection);
    } else {
      this.drop();
    }
    this.#sink.answered(this.#exitStatus);
  }

  /** On a kept connection it may be a leftover of the request before, which only its worker could explain. */
  #onForeign(requestId: number): void {
    this.#connections.refuse();
    if (this.#mayStartAgain()) this.#startAgain();
    else this.#lose('protocol', `sent a record for request ${requestId}`);
  }

  // --- the connection ------------------------------------------------------------------------

  onConnect(): void {
    this.#isConnected = true;
    this.#sendHead();
  }

  onEnd(detail: string): void {
    if (this.#isOver) return;
    if (this.#isOutputEnded) {
      this.drop();
      this.#sink.answered();
    } else if (this.#mayStartAgain()) {
      this.#connections.refute();
      this.#startAgain();
    } else {
      // unix(7): a worker that ended with a connection in its accept queue, or with unread bytes, leaves a reset.
      const isUnread = detail === 'ECONNRESET' && !this.#hasOutput;
      const kind = isUnread ? 'unread' : 'died';
      this.#lose(this.#isConnected ? kind : lossOnTheWay(detail), detail);
    }
  }

  #lose(kind: LossKind, detail: string): void {
    if (this.#isOver) return;
    this.drop();
    this.#sink.lost(kind, detail);
  }

  /** A kept connection that its worker has closed says nothing about the worker: the request was never delivered. */
  #mayStartAgain(): boolean {
    const { socket, isReused } = this.#connection;
    const isUndelivered = socket.isWriteBroken && !this.#isHeadTaken;
    const isFresh = isReused && !this.#hasBegun && this.#request.body.isWhole;
    return isFresh && (isUndelivered || this.#isSafe);
  }

  #startAgain(): void {
    this.#connection.close();
    this.#request.body.rewind();
    this.#request.data?.rewind();
    this.#isStdinSent = false;
    this.#isConnected = false;
    this.#isBodySent = false;
    this.#connection = this.#connections.openNew();
    this.#requestId = this.#connection.nextRequestId();
    this.#connection.use(this);
  }

  // --- records out ---------------------------------------------------------------------------

  /** BEGIN, PARAMS and as much of the body as is in memory leave in one write. */
  #sendHead(): void {
    const { role, params, body, data } = this.#request;
    const { socket } = this.#connection;
    const flags = this.#mayKeep ? Flag.KEEP_CONN : 0;
    const isBodiless = body.length === 0 && data === undefined;
    const head = encodeRequestHead(this.#requestId, { role, flags, params, isBodiless });
    if (isBodiless) {
      this.#isBodySent = true;
      socket.write(head, this.#onHeadTaken);
      return;
    }
    socket.cork();
    socket.write(head, this.#onHeadTaken);
    this.#sendBody();
    socket.uncork();
  }

  readonly #onHeadTaken = (): void => {
    this.#isHeadTaken = true;
  };

  /** What was read is valid until the next read, so that has to wait for the write. */
  #sendBody(): void {
    const { body, data } = this.#request;
    const [type, source] =
      this.#isStdinSent && data !== undefined
        ? [RecordType.DATA, data] // FastCGI 1.0 §6.4: a Filter reads STDIN to its end first
        : [RecordType.STDIN, body];
    source.read(LIMITS.bodyReadMaxBytes, (err, bytes) => {
      if (this.#isOver) return;
      if (err !== null) {
        this.#lose('protocol', err.message);
        return;
      }
      const { socket, encoder } = this.#connection;
      socket.cork();
      if (bytes === null) source.release();
      else encoder.stream(type, this.#requestId, bytes, this.#nextAfter(source));
      if (source.isAtEnd) this.#endBody(type, data !== undefined);
      socket.uncork();
    });
  }

  /** The connection may be another by then, and have its own turn. */
  #nextAfter(source: BodySource): WriteDone {
    const connection = this.#connection;
    const isLast = source.isAtEnd;
    return (err) => {
      if (err || this.#isOver || connection !== this.#connection) return;
      if (isLast) source.release();
      else this.#sendBody();
    };
  }

  #endBody(type: number, hasData: boolean): void {
    this.#connection.encoder.endStream(type, this.#requestId);
    this.#isBodySent = type === RecordType.DATA || !hasData;
    this.#isStdinSent = true;
    if (!this.#isBodySent) this.#sendBody();
  }
}
