// A web server's end of a front connection for tests: sends what it is told, records what comes back.
import { once } from 'node:events';
import net from 'node:net';
import {
  decodeEndRequest,
  encodeRequestHead,
  RecordDecoder,
  RecordEncoder,
  RecordType,
  Role,
} from '../../src/fcgi-protocol/index.js';
import { waitFor } from './wait-for.js';

export interface FrontAnswer {
  readonly id: number;
  stdout: Buffer[];
  stderr: Buffer[];
  /** Content lengths of the STDOUT records, in order. */
  stdoutLengths: number[];
  end: { readonly appStatus: number; readonly protocolStatus: number } | undefined;
  endCount: number;
}

export interface CgiAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** Status, headers and body of a whole CGI answer. */
export function parseCgi(answer: FrontAnswer): CgiAnswer {
  const bytes = Buffer.concat(answer.stdout);
  const at = bytes.indexOf('\r\n\r\n');
  if (at < 0) throw new Error(`no header block in ${JSON.stringify(bytes.toString('latin1'))}`);
  const headers = new Map<string, string>();
  for (const line of bytes.subarray(0, at).toString('latin1').split('\r\n')) {
    const colon = line.indexOf(':');
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  const status = Number((headers.get('status') ?? '200').slice(0, 3));
  return { status, headers, body: bytes.subarray(at + 4) };
}

export class FrontClient {
  readonly socket: net.Socket;
  readonly encoder: RecordEncoder;
  readonly answers = new Map<number, FrontAnswer>();
  /** Records with request id 0: type and content. */
  readonly management: { type: number; content: Buffer }[] = [];
  isEnded = false;
  isClosed = false;
  /** Something came that is no FastCGI: how a web server is told that an answer is not whole. */
  isBroken = false;
  /** Called with each END instead of keeping the answers: for more requests than one keeps. */
  onEnd: ((id: number) => void) | undefined;

  constructor(socket: net.Socket) {
    this.socket = socket;
    this.encoder = new RecordEncoder(socket);
    const decoder = new RecordDecoder({
      record: (type, id, content) => this.#record(type, id, Buffer.from(content)),
    });
    socket.on('data', (chunk: Buffer) => {
      try {
        decoder.push(chunk);
      } catch {
        this.isBroken = true;
      }
    });
    socket.on('end', () => (this.isEnded = true));
    socket.on('close', () => (this.isClosed = true));
    socket.on('error', () => undefined);
  }

  static async connect(
    where: string | { readonly host: string; readonly port: number },
  ): Promise<FrontClient> {
    const to = typeof where === 'string' ? { path: where } : where;
    const socket = net.connect({ ...to, allowHalfOpen: true });
    await once(socket, 'connect');
    return new FrontClient(socket);
  }

  /** BEGIN, PARAMS, whole body and its end. */
  send(
    id: number,
    params: ReadonlyMap<string, string>,
    body: Buffer = Buffer.alloc(0),
    keep = true,
  ): void {
    this.socket.cork();
    this.head(id, params, keep);
    this.encoder.stream(RecordType.STDIN, id, body);
    this.encoder.endStream(RecordType.STDIN, id);
    this.socket.uncork();
  }

  head(
    id: number,
    params: ReadonlyMap<string, string>,
    keep = true,
    role: number = Role.RESPONDER,
  ): void {
    this.expect(id);
    this.socket.write(
      encodeRequestHead(id, { role: role, flags: keep ? 1 : 0, params: params, isBodiless: false }),
    );
  }

  /** Forget what came for this id: a new request begins. */
  expect(id: number): FrontAnswer {
    const answer: FrontAnswer = {
      id,
      stdout: [],
      stderr: [],
      stdoutLengths: [],
      end: undefined,
      endCount: 0,
    };
    this.answers.set(id, answer);
    return answer;
  }

  async ended(id: number, deadlineMs?: number): Promise<FrontAnswer> {
    await waitFor(
      `END of ${id}`,
      () => this.answer(id).end !== undefined || this.isClosed,
      deadlineMs,
    );
    const answer = this.answer(id);
    if (answer.end === undefined) throw new Error(`connection closed before END of ${id}`);
    return answer;
  }

  async fetch(params: ReadonlyMap<string, string>, body?: Buffer, id = 1): Promise<CgiAnswer> {
    this.send(id, params, body);
    return parseCgi(await this.ended(id));
  }

  answer(id: number): FrontAnswer {
    return this.answers.get(id) ?? this.expect(id);
  }

  close(): void {
    this.socket.destroy();
  }

  #record(type: number, id: number, content: Buffer): void {
    if (id === 0) {
      this.management.push({ type, content });
      return;
    }
    if (this.onEnd !== undefined) {
      if (type === RecordType.END_REQUEST) this.onEnd(id);
      return;
    }
    const answer = this.answer(id);
    if (type === RecordType.STDOUT) {
      answer.stdout.push(content);
      answer.stdoutLengths.push(content.length);
    } else if (type === RecordType.STDERR) {
      answer.stderr.push(content);
    } else if (type === RecordType.END_REQUEST) {
      answer.end = decodeEndRequest(content);
      answer.endCount += 1;
    }
  }
}
