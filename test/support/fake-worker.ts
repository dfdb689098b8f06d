// A FastCGI worker inside the test process: real socket, real records, behaviour given by the test.
import net from 'node:net';
import {
  decodeBeginRequest,
  encodeRecordHeader,
  Flag,
  ParamsDecoder,
  ProtocolStatus,
  RecordDecoder,
  RecordEncoder,
  RecordType,
  Role,
} from '../../src/fcgi-protocol/index.js';
import { KIB, LIMITS } from '../../src/limits.js';

export interface WorkerRequest {
  readonly id: number;
  readonly role: number;
  readonly flags: number;
  readonly params: ReadonlyMap<string, string>;
  readonly body: Buffer;
  /** Of a Filter: what came as DATA. */
  readonly data: Buffer;
  readonly socket: net.Socket;
  readonly encoder: RecordEncoder;
  /** A whole answer in the usual form. */
  reply(text: string): void;
}

export interface FakeWorkerOptions {
  /** Called with the whole request. */
  readonly onRequest?: (request: WorkerRequest) => unknown;
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

/** More than the router takes in, since it adds some. */
const ROOM = {
  totalMaxBytes: 128 * KIB,
  pairMaxCount: 1_000,
  nameMaxBytes: LIMITS.paramNameMaxBytes,
  valueMaxBytes: LIMITS.paramValueMaxBytes,
};

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
    let received: Received | undefined;
    const encoder = new WatchedEncoder(socket, () => {
      if (received !== undefined) received.isOpen = false;
    });
    const decoder = new RecordDecoder({
      record: (type, id, content) => {
        const isFilters = type === RecordType.DATA && received?.role === Role.FILTER;
        if ((FORBIDDEN.has(type) && !isFilters) || type > RecordType.UNKNOWN_TYPE) {
          this.violations.push(`record of type ${type}`);
          return;
        }
        if (type === RecordType.BEGIN_REQUEST) {
          if (received?.isOpen === true) this.violations.push('a second BEGIN before END');
          received = { ...begun(id, content), isOpen: true };
          return;
        }
        if (received === undefined) this.violations.push(`record of type ${type} before BEGIN`);
        else this.#take(type, content, received, { socket, encoder });
      },
    });
    socket.on('data', (chunk: Buffer) => decoder.push(chunk));
    socket.on('end', () => {
      if (received?.isOpen !== true) {
        socket.end();
        return;
      }
      // The end of a whole connection refuses this; behind a half-close somebody still reads.
      socket.write(encodeRecordHeader(RecordType.STDERR, received.id, 0), (err) => {
        if (err == null) this.violations.push('a half-close');
        socket.destroy();
      });
    });
  }

  #take(
    type: number,
    content: Buffer,
    received: Received,
    { socket, encoder }: Pick<WorkerRequest, 'socket' | 'encoder'>,
  ): void {
    const request = (): WorkerRequest => ({
      ...received,
      body: Buffer.concat(received.parts),
      data: Buffer.concat(received.dataParts),
      socket,
      encoder,
      reply: (text) => {
        encoder.stream(RecordType.STDOUT, received.id, Buffer.from(text, 'latin1'));
        encoder.endStream(RecordType.STDOUT, received.id);
        encoder.endRequest(received.id, 0, ProtocolStatus.REQUEST_COMPLETE);
        if (!received.isKept) socket.end();
      },
    });
    if (type === RecordType.PARAMS && content.length > 0) {
      received.decoder.push(content);
    } else if (type === RecordType.PARAMS) {
      received.params = new Map(received.decoder.end());
      this.#options.onHead?.(request());
    } else if (content.length > 0) {
      this.#keep(type, content, received, request);
    } else if (type === RecordType.STDIN && received.role === Role.FILTER) {
      received.isStdinEnded = true;
    } else {
      this.requests += 1;
      this.#options.onRequest?.(request());
    }
  }

  #keep(type: number, content: Buffer, received: Received, request: () => WorkerRequest): void {
    if (type === RecordType.DATA) {
      if (!received.isStdinEnded) this.violations.push('DATA before the end of STDIN');
      received.dataParts.push(Buffer.from(content));
    } else if (this.#options.onBody === undefined) {
      received.parts.push(Buffer.from(content));
    } else {
      this.#options.onBody(content, request());
    }
  }
}

class WatchedEncoder extends RecordEncoder {
  readonly #onEnd: () => void;

  constructor(socket: net.Socket, onEnd: () => void) {
    super(socket);
    this.#onEnd = onEnd;
  }

  override endRequest(id: number, appStatus: number, protocolStatus: number): boolean {
    this.#onEnd();
    return super.endRequest(id, appStatus, protocolStatus);
  }
}

/** A request as far as it has come. */
interface Received {
  readonly id: number;
  readonly role: number;
  readonly flags: number;
  readonly isKept: boolean;
  readonly decoder: ParamsDecoder;
  readonly parts: Buffer[];
  readonly dataParts: Buffer[];
  /** Of a Filter. */
  isStdinEnded: boolean;
  params: ReadonlyMap<string, string>;
  /** BEGIN has come, END was not sent by reply(). */
  isOpen: boolean;
}

function begun(id: number, content: Buffer): Omit<Received, 'isOpen'> {
  const { role, flags } = decodeBeginRequest(content);
  const isKept = (flags & Flag.KEEP_CONN) !== 0;
  const nothing = { parts: [], dataParts: [], isStdinEnded: false, params: new Map() };
  return { id, role, flags, isKept, decoder: new ParamsDecoder(ROOM), ...nothing };
}
