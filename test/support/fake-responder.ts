// A FastCGI responder inside the test process: records what it is asked, answers what the test says.
import { createServer, type Server, type Socket } from 'node:net';
import {
  ParamsDecoder,
  RecordDecoder,
  RecordEncoder,
  RecordType,
} from '../../src/fcgi-protocol/index.js';

/** One request as the responder sees it. */
export class FakeRequest {
  readonly socket: Socket;
  readonly encoder: RecordEncoder;
  id = 0;
  flags = 0;
  params: ReadonlyMap<string, string> = new Map();
  readonly body: Buffer[] = [];
  bodyBytes = 0;
  /** The empty STDIN record has come. */
  bodyEnded = false;

  constructor(socket: Socket) {
    this.socket = socket;
    this.encoder = new RecordEncoder(socket);
  }

  param(name: string): string | undefined {
    return this.params.get(name);
  }

  /** The whole answer: head and body, and the end of the request. */
  answer(text: string | Buffer): void {
    this.output(text);
    this.end();
  }

  output(text: string | Buffer): boolean {
    return this.encoder.stream(RecordType.STDOUT, this.id, Buffer.from(text));
  }

  end(): void {
    this.encoder.endStream(RecordType.STDOUT, this.id);
    this.encoder.endRequest(this.id, 0, 0);
  }
}

export interface FakeBehaviour {
  /** All params are there. */
  readonly onParams?: (request: FakeRequest) => void;
  /** The body is complete. */
  readonly onBody?: (request: FakeRequest) => void;
  readonly onClose?: (request: FakeRequest) => void;
  /** Keep the bytes of bodies; default true. */
  readonly keepBody?: boolean;
}

export class FakeResponder {
  readonly requests: FakeRequest[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(behaviour: FakeBehaviour) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      this.#serve(socket, behaviour);
    });
  }

  listen(path: string): Promise<void> {
    return new Promise((resolve) => this.#server.listen(path, resolve));
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: Socket, behaviour: FakeBehaviour): void {
    let request = new FakeRequest(socket);
    let params = new ParamsDecoder();
    const record = (type: number, id: number, content: Buffer): void => {
      if (type === RecordType.BEGIN_REQUEST) {
        request = new FakeRequest(socket);
        params = new ParamsDecoder();
        request.id = id;
        request.flags = content[2] ?? 0;
        this.requests.push(request);
      } else if (type === RecordType.PARAMS && content.length > 0) params.push(content);
      else if (type === RecordType.PARAMS) {
        request.params = new Map(params.end());
        behaviour.onParams?.(request);
      } else if (type === RecordType.STDIN && content.length > 0) {
        request.bodyBytes += content.length;
        if (behaviour.keepBody !== false) request.body.push(Buffer.from(content));
      } else if (type === RecordType.STDIN) {
        request.bodyEnded = true;
        behaviour.onBody?.(request);
      }
    };
    const decoder = new RecordDecoder({ record });
    socket.on('data', (chunk) => decoder.push(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => behaviour.onClose?.(request));
  }
}

/** Starts one that answers every request with its params, one `NAME=value` a line, once the body is complete. */
export async function startParamsEcho(path: string): Promise<FakeResponder> {
  const responder = new FakeResponder({
    onBody: (request) => {
      const lines = [...request.params].map(([name, value]) => `${name}=${value}\n`);
      request.answer(`Content-Type: text/plain\r\n\r\n${lines.join('')}`);
    },
  });
  await responder.listen(path);
  return responder;
}
