// A FastCGI worker inside the test process: real socket, real records, behaviour given by the test.
import net from 'node:net';
import {
  decodeBeginRequest,
  ParamsDecoder,
  ProtocolStatus,
  RecordDecoder,
  RecordEncoder,
  RecordType,
} from '../../src/fcgi-protocol/index.js';

export interface WorkerRequest {
  readonly id: number;
  readonly role: number;
  readonly flags: number;
  readonly params: ReadonlyMap<string, string>;
  readonly body: Buffer;
  readonly socket: net.Socket;
  readonly encoder: RecordEncoder;
  /** A whole answer in the usual form. */
  reply(text: string): void;
}

export interface FakeWorkerOptions {
  /** Called with the whole request. */
  readonly onRequest?: (request: WorkerRequest) => void;
  /** Called when PARAMS are complete, before the body. */
  readonly onHead?: (request: WorkerRequest) => void;
  /** Speaks another protocol than FastCGI: listens in place of the worker's own server. */
  readonly server?: net.Server;
  /** Called with each piece of the body, which is not kept then. */
  readonly onBody?: (content: Buffer, request: WorkerRequest) => void;
}

/** Record types that kill some real worker and must never be sent to any (wire checklist item 81). */
const FORBIDDEN: ReadonlySet<number> = new Set([
  RecordType.ABORT_REQUEST,
  RecordType.GET_VALUES,
  RecordType.DATA,
]);

export class FakeWorker {
  readonly server: net.Server;
  readonly sockets = new Set<net.Socket>();
  /** What a real worker would have died of. */
  readonly violations: string[] = [];
  connections = 0;
  requests = 0;
  readonly #options: FakeWorkerOptions;

  constructor(options: FakeWorkerOptions) {
    this.#options = options;
    this.server =
      options.server ?? net.createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
    this.server.on('connection', (socket) => {
      this.connections += 1;
      this.sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => this.sockets.delete(socket));
    });
  }

  listen(path: string): Promise<void> {
    return new Promise((resolve) => this.server.listen({ path }, resolve));
  }

  /** As if the process had been killed. */
  kill(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  #accept(socket: net.Socket): void {
    const encoder = new RecordEncoder(socket);
    const paramsDecoder = new ParamsDecoder();
    const body: Buffer[] = [];
    let begin: { id: number; role: number; flags: number } | undefined;
    let params: ReadonlyMap<string, string> = new Map();
    const request = (): WorkerRequest => ({
      id: begin?.id ?? 0,
      role: begin?.role ?? 0,
      flags: begin?.flags ?? 0,
      params,
      body: Buffer.concat(body),
      socket,
      encoder,
      reply: (text) => {
        encoder.stream(RecordType.STDOUT, begin?.id ?? 0, Buffer.from(text, 'latin1'));
        encoder.endStream(RecordType.STDOUT, begin?.id ?? 0);
        encoder.endRequest(begin?.id ?? 0, 0, ProtocolStatus.REQUEST_COMPLETE);
      },
    });
    const takeBody = (content: Buffer): void => {
      if (this.#options.onBody === undefined) body.push(Buffer.from(content));
      else this.#options.onBody(content, request());
    };
    const decoder = new RecordDecoder({
      record: (type, id, content) => {
        if (FORBIDDEN.has(type) || type > RecordType.UNKNOWN_TYPE) {
          this.violations.push(`record of type ${type}`);
        } else if (type === RecordType.BEGIN_REQUEST) {
          if (begin !== undefined) this.violations.push('second BEGIN on one connection');
          begin = { id, ...decodeBeginRequest(content) };
        } else if (type === RecordType.PARAMS && content.length > 0) {
          paramsDecoder.push(content);
        } else if (type === RecordType.PARAMS) {
          params = paramsDecoder.end();
          this.#options.onHead?.(request());
        } else if (type === RecordType.STDIN && content.length > 0) {
          takeBody(content);
        } else {
          this.requests += 1;
          this.#options.onRequest?.(request());
        }
      },
    });
    socket.on('data', (chunk: Buffer) => decoder.push(chunk));
    socket.on('end', () => socket.end());
  }
}
