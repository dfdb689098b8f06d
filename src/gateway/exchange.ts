// One HTTP request and its answer over one FastCGI connection: streams both ways, never faster than the slower side reads.
import { connect, type Socket } from 'node:net';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isUsherdError, UsherdError, type ErrorCode } from '../errors.js';
import {
  encodeRequestHead,
  RecordDecoder,
  RecordEncoder,
  RecordType,
  Role,
  type RecordSink,
} from '../fcgi-protocol/index.js';
import type { Logger } from '../log.js';
import { sendText } from './plain-answer.js';
import { HeadCollector } from './response-head.js';

const REQUEST_ID = 1; // the only one on its connection

export interface ExchangeOptions {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly params: ReadonlyMap<string, string>;
  readonly socketPath: string;
  readonly log: Logger;
}

/** Lives from the connect to usherd until the answer is out or either side is gone. */
export class Exchange implements RecordSink {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #socketPath: string;
  readonly #log: Logger;
  readonly #socket: Socket;
  readonly #encoder: RecordEncoder;
  readonly #decoder = new RecordDecoder(this);
  readonly #head = new HeadCollector();
  #isEnded = false;

  /** @throws UsherdError E_PARAMS_TOO_LARGE before anything is connected */
  constructor(options: ExchangeOptions) {
    this.#request = options.request;
    this.#response = options.response;
    this.#socketPath = options.socketPath;
    this.#log = options.log;
    const head = encodeRequestHead(REQUEST_ID, {
      role: Role.RESPONDER,
      flags: 0,
      params: options.params,
      isBodiless: false,
    });
    this.#socket = connect(options.socketPath);
    this.#encoder = new RecordEncoder(this.#socket);
    this.#socket.write(head);
    this.#listenToUsherd();
    this.#listenToBrowser();
  }

  /** One record from usherd; `content` is a view that is valid until this returns. */
  record(type: number, _requestId: number, content: Buffer): void {
    if (type === RecordType.STDOUT && content.length > 0) this.#output(content);
    else if (type === RecordType.STDERR) this.#log.debug({ stderrBytes: content.length }, 'stderr');
    else if (type === RecordType.END_REQUEST) this.#end();
  }

  #listenToUsherd(): void {
    this.#socket.on('data', (chunk) => this.#read(chunk));
    this.#socket.on('drain', () => this.#request.resume());
    this.#socket.on('error', (err) => this.#lose(err));
    this.#socket.on('close', () => this.#lose());
  }

  #listenToBrowser(): void {
    this.#request.on('data', (content: Buffer) => {
      if (this.#isEnded) return; // answered early: the rest of the body is read and dropped
      if (!this.#encoder.stream(RecordType.STDIN, REQUEST_ID, content)) this.#request.pause();
    });
    this.#request.on('end', () => {
      if (!this.#isEnded) this.#encoder.endStream(RecordType.STDIN, REQUEST_ID);
    });
    // Without the end of STDIN, usherd sees an abort and not a short body.
    this.#request.on('error', () => this.#close());
    this.#response.on('drain', () => this.#socket.resume());
    this.#response.on('close', () => this.#close());
  }

  #read(chunk: Buffer): void {
    if (this.#isEnded) return;
    try {
      this.#decoder.push(chunk);
    } catch (err) {
      if (!isUsherdError(err)) throw err;
      this.#fail(err.code, 502, 'usherd sent something that is not a valid FastCGI answer.');
    }
  }

  #output(content: Buffer): void {
    if (this.#response.headersSent) {
      this.#send(Buffer.from(content)); // kept beyond this call by the response
      return;
    }
    const head = this.#head.push(content);
    if (head === undefined) return;
    try {
      this.#response.writeHead(head.status, [...head.headers]);
    } catch (cause) {
      throw new UsherdError('E_WORKER_PROTOCOL', 'a header cannot be sent', { cause });
    }
    this.#send(head.body);
  }

  #send(body: Buffer): void {
    if (body.length > 0 && !this.#response.write(body)) this.#socket.pause();
  }

  #end(): void {
    if (!this.#response.headersSent) {
      this.#fail('E_WORKER_PROTOCOL', 502, 'usherd ended the request without an answer.');
      return;
    }
    this.#response.end();
    this.#close();
  }

  /** The connection to usherd is gone; a no-op if everything was over before. */
  #lose(err?: NodeJS.ErrnoException): void {
    if (this.#isEnded) return;
    const isAway = err?.syscall === 'connect';
    const text = isAway
      ? `usherd does not listen on ${this.#socketPath} (${err.code ?? ''}). Start it with: usherd run`
      : 'usherd closed the connection before the answer was complete.';
    this.#fail(isAway ? 'E_FRONT_AWAY' : 'E_WORKER_DIED', isAway ? 503 : 502, text);
  }

  #fail(errorCode: ErrorCode, status: number, text: string): void {
    this.#log.warn({ errorCode, status }, 'request failed');
    this.#close();
    // Once the head is out, cutting the connection is the only way left to say that the answer is not whole.
    if (this.#response.headersSent) this.#response.destroy();
    else sendText(this.#response, status, text);
  }

  #close(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#decoder.stop();
    this.#socket.destroy();
    this.#request.resume();
  }
}
