// One front connection: records in, requests told apart by their id, records out in whole writes.
import type net from 'node:net';
import { isUsherdError, UsherdError } from '../errors.js';
import {
  decodeBeginRequest,
  encodeLastOutput,
  encodeRecordHeader,
  Flag,
  NULL_REQUEST_ID,
  RecordDecoder,
  RecordEncoder,
  RecordType,
  type RecordSink,
} from '../fcgi-protocol/index.js';
import { LIMITS } from '../limits.js';
import { encodeBrokenRecord } from './broken-record.js';
import { FrontOutput } from './front-output.js';
import { refuseApplicationType, valuesFor } from './management.js';
import { countRead } from './read-garbage.js';
import { FrontRequest } from './request.js';
import type { RouterContext } from './context.js';
import type { InputStream } from './request-input.js';
import type { FrontBounds, FrontSide, Pausable, RequestFace } from './request-types.js';

export class FrontConnection implements RecordSink, FrontSide {
  readonly #socket: net.Socket;
  readonly #context: RouterContext;
  readonly bounds: FrontBounds;
  readonly #decoder: RecordDecoder;
  readonly #encoder: RecordEncoder;
  readonly #output: FrontOutput;
  readonly #requests = new Map<number, FrontRequest>();
  /** STDERR records of open requests, few. */
  readonly #errorOutput = new Map<number, Buffer[]>();
  #openCount = 0;
  /** Bodies that can take no more for now: all of them have to have room before more is read. */
  #fullCount = 0;
  #keepConnection = true;
  /** The router stops: what comes is served still, and the answer is the last on this connection. */
  #isDraining = false;
  #isClosing = false;
  #isClosed = false;
  #lingerTimer: NodeJS.Timeout | undefined;
  /** Who asks and does not read the answers is not read from meanwhile. */
  readonly #asker: Pausable = {
    spillsFor: undefined,
    pause: () => this.pauseReading(),
    resume: () => this.resumeReading(),
  };

  constructor(socket: net.Socket, context: RouterContext, bounds: FrontBounds) {
    this.#socket = socket;
    this.#context = context;
    this.bounds = bounds;
    this.#decoder = new RecordDecoder(this);
    this.#output = new FrontOutput(socket, context);
    this.#encoder = new RecordEncoder({
      cork: () => undefined,
      uncork: () => undefined,
      write: (bytes) => this.#answerManagement(bytes),
    });
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('end', () => this.#onEnd());
    socket.on('error', () => undefined); // 'close' follows and does the work
    socket.on('close', () => this.#onClose());
  }

  get isIdle(): boolean {
    return this.#openCount === 0;
  }

  get isShared(): boolean {
    return this.#openCount > 1;
  }

  get isWritten(): boolean {
    return this.#output.isEmpty;
  }

  get requests(): Iterable<RequestFace> {
    return this.#requests.values();
  }

  // --- records in ----------------------------------------------------------------------------

  record(type: number, requestId: number, content: Buffer): void {
    if (requestId === NULL_REQUEST_ID) {
      this.#onManagement(type, content);
      return;
    }
    switch (type) {
      case RecordType.BEGIN_REQUEST:
        this.#onBegin(requestId, content);
        return;
      case RecordType.PARAMS:
        this.#requests.get(requestId)?.onParams(content);
        return;
      case RecordType.STDIN:
        this.#onInput('stdin', requestId, content);
        return;
      case RecordType.DATA:
        this.#onInput('data', requestId, content);
        return;
      case RecordType.ABORT_REQUEST:
        this.#requests.get(requestId)?.onLeft();
        return;
      default: // GET_VALUES with an id, unknown types: nothing to do
        refuseApplicationType(type);
    }
  }

  #onManagement(type: number, content: Buffer): void {
    switch (type) {
      case RecordType.GET_VALUES:
        this.#encoder.getValuesResult(valuesFor(content));
        return;
      case RecordType.BEGIN_REQUEST:
      case RecordType.ABORT_REQUEST:
      case RecordType.PARAMS:
      case RecordType.STDIN:
      case RecordType.DATA:
        throw new UsherdError('E_FCGI_REQUEST_ID', `type ${type} with request id 0`);
      default:
        refuseApplicationType(type);
        this.#encoder.unknownType(type);
    }
  }

  #answerManagement(bytes: Buffer): boolean {
    this.#output.add(bytes);
    this.#output.flush(this.#asker);
    return true;
  }

  #onBegin(requestId: number, content: Buffer): void {
    const { role, flags } = decodeBeginRequest(content);
    const earlier = this.#requests.get(requestId);
    if (earlier !== undefined && !earlier.isEnded) {
      throw new UsherdError('E_FCGI_REQUEST_ID', `request ${requestId} is still open`);
    }
    if (this.#requests.size >= LIMITS.frontRequestsPerConnectionMaxCount && earlier === undefined) {
      throw new UsherdError('E_FCGI_TOO_MANY_REQUESTS', `more than ${this.#requests.size}`);
    }
    if (this.#isClosing) return; // we announced the end of this connection
    this.#keepConnection = (flags & Flag.KEEP_CONN) !== 0 && !this.#isDraining;
    const request = new FrontRequest(requestId, role, this, this.#context);
    this.#requests.set(requestId, request);
    this.#openCount += 1;
    this.#context.counters.requestsActive += 1;
    this.#context.counters.requestsTotal += 1;
    request.begin();
  }

  #onInput(stream: InputStream, requestId: number, content: Buffer): void {
    const request = this.#requests.get(requestId);
    if (request === undefined) return;
    request.onInput(stream, content);
    if (request.isEnded && request.isInputEnded) this.#forget(requestId, request);
  }

  // --- records out, called by requests -------------------------------------------------------

  /** A header block and what came with it are one STDOUT record as far as one holds them: Debian 12's HAProxy dies of less. */
  sendOutput(requestId: number, output: readonly Buffer[]): void {
    this.#output.addStream(RecordType.STDOUT, requestId, output);
  }

  keepErrorOutput(requestId: number, records: readonly Buffer[]): void {
    const kept = this.#errorOutput.get(requestId) ?? [];
    this.#errorOutput.set(requestId, [...kept, ...records]);
  }

  flush(source: Pausable | undefined): void {
    this.#output.flush(source);
  }

  /** END_REQUEST behind the last output, in one write; then the connection lives on, lingers or ends. */
  endRequest(request: RequestFace, output: readonly Buffer[], protocolStatus?: number): void {
    for (const part of this.#errorOutput.get(request.id) ?? []) this.#output.add(part);
    this.#output.add(encodeLastOutput(request.id, output, 0, protocolStatus));
    this.#output.flush(this.#asker);
    this.#afterEnd(request);
  }

  /** The answer is not whole: the end of the connection says so, and a record that cannot be taken for the end of an answer. */
  cut(request: RequestFace): void {
    this.#output.add(encodeBrokenRecord(request.id));
    this.#output.flush(undefined);
    this.#afterEnd(request);
    this.#output.finish(() => this.#socket.destroySoon());
  }

  endSilently(request: RequestFace): void {
    if (!this.#isClosed && !this.#socket.readableEnded) {
      this.#output.add(encodeLastOutput(request.id, [], 0, 0));
      this.#output.flush(this.#asker);
    }
    this.#afterEnd(request);
  }

  forgetSource(source: Pausable): void {
    this.#output.forget(source);
  }

  /** Each time with a `resumeReading` to come. */
  pauseReading(): void {
    this.#fullCount += 1;
    this.#socket.pause();
  }

  resumeReading(): void {
    this.#fullCount -= 1;
    if (this.#fullCount === 0) this.#socket.resume();
  }

  get isReadingPaused(): boolean {
    return this.#fullCount > 0;
  }

  /**
   * The router stops. A connection is closed with its next answer, never while the web server may be sending the next
   * request on it: that one would be lost.
   */
  drain(): void {
    this.#isDraining = true;
    this.#keepConnection = false;
  }

  /** Nothing has come for a while: the web server does not use this connection. */
  closeIfIdle(): void {
    if (this.isIdle) this.#close();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #afterEnd(request: RequestFace): void {
    this.#errorOutput.delete(request.id);
    this.#openCount -= 1;
    this.#context.counters.requestsActive -= 1;
    if (request.isInputEnded) this.#forget(request.id, request);
    if (this.#keepConnection || !this.isIdle) return;
    this.#close();
  }

  #forget(requestId: number, request: RequestFace): void {
    if (this.#requests.get(requestId) === request) this.#requests.delete(requestId);
    if (this.#isClosing && this.#requests.size === 0) {
      this.#output.finish(() => this.#socket.destroySoon());
    }
  }

  /** Our side is done. A web server that still uploads takes the answer only if we go on reading. */
  #close(): void {
    if (this.#isClosing || this.#isClosed) return;
    this.#isClosing = true;
    if (this.#requests.size === 0) {
      // At once where everything is written: the web server must see the end before it takes the connection up again.
      this.#output.finish(() => this.#socket.destroy());
      return;
    }
    this.#output.finish(() => {
      this.#socket.end();
      this.#lingerTimer = setTimeout(() => this.#socket.destroy(), LIMITS.frontLingerMs);
    });
    this.#socket.resume();
  }

  // --- the socket ----------------------------------------------------------------------------

  #onData(chunk: Buffer): void {
    countRead(chunk.length);
    try {
      this.#decoder.push(chunk);
    } catch (err) {
      if (!isUsherdError(err)) throw err;
      this.#context.log.warn({ errorCode: err.code, err: err.message }, 'front connection refused');
      this.#context.counters.protocolErrors += 1;
      this.#decoder.stop();
      this.#socket.destroy();
    }
  }

  /**
   * EOF. Web servers close both sides at once when their client leaves, which looks the same here as a
   * half-close. An empty STDERR record tells the two apart: it fails with EPIPE if nobody reads, and then
   * 'close' ends the requests; it means nothing to a peer that only stopped sending.
   */
  #onEnd(): void {
    for (const request of this.#requests.values()) {
      if (!request.isInputEnded) request.onLeft();
    }
    if (this.isIdle) {
      this.#output.finish(() => this.#socket.end());
      return;
    }
    this.#keepConnection = false;
    for (const request of this.#requests.values()) {
      if (!request.isEnded) this.#output.add(encodeRecordHeader(RecordType.STDERR, request.id, 0));
    }
    this.#output.flush(undefined);
  }

  #onClose(): void {
    this.#isClosed = true;
    clearTimeout(this.#lingerTimer);
    this.#decoder.stop();
    for (const request of this.#requests.values()) request.onLeft();
    this.#requests.clear();
    this.#output.close();
    this.#context.connectionClosed(this);
  }
}
