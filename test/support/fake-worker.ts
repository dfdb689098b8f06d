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
        if (FORBIDDEN.has(type) || type > RecordType.UNKNOWN_TYPE) {
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
      if (this.#options.onBody === undefined) received.parts.push(Buffer.from(content));
      else this.#options.onBody(content, request());
    } else {
      this.requests += 1;
      this.#options.onRequest?.(request());
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
  params: ReadonlyMap<string, string>;
  /** BEGIN has come, END was not sent by reply(). */
  isOpen: boolean;
}

function begun(id: number, content: Buffer): Omit<Received, 'isOpen'> {
  const { role, flags } = decodeBeginRequest(content);
  const isKept = (flags & Flag.KEEP_CONN) !== 0;
  return { id, role, flags, isKept, decoder: new ParamsDecoder(), parts: [], params: new Map() };
}
