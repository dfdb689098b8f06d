// A browser for tests of web servers: sends a request byte for byte as told, and tells a whole answer from a cut one.
import http from 'node:http';
import { once } from 'node:events';

export interface HttpRequest {
  /** Goes out as it is: nothing is resolved, squeezed or escaped. */
  readonly path: string;
  readonly host?: string;
  readonly method?: string;
  readonly headers?: http.OutgoingHttpHeaders;
  /** A Buffer is sent with its length, parts are sent chunked. */
  readonly body?: Buffer | AsyncIterable<Buffer>;
  /** Without one every request has a connection of its own, which ends with it. */
  readonly agent?: http.Agent;
  readonly deadlineMs?: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly reason: string;
  /** Lower-case name to all values, in order. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: Buffer;
  /** False where the connection ended before the announced or chunked body did. */
  readonly isComplete: boolean;
}

/** An answer that is being received. */
export interface OpenAnswer {
  readonly message: http.IncomingMessage;
  /** The client goes away. */
  leave(): void;
}

const HEADERS_MAX_BYTES = 256 * 1024;
const DEADLINE_MS = 20_000;

/** The request without its body: for tests that write it piece by piece. */
function begin(port: number, request: HttpRequest): http.ClientRequest {
  const { path, host = 'localhost', method = 'GET', headers = {} } = request;
  const length = Buffer.isBuffer(request.body) ? { 'Content-Length': request.body.length } : {};
  const outgoing = http.request({
    host: '127.0.0.1',
    port,
    path,
    method,
    headers: { Host: host, ...length, ...headers },
    agent: request.agent ?? false,
    maxHeaderSize: HEADERS_MAX_BYTES,
    timeout: request.deadlineMs ?? DEADLINE_MS,
  });
  outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer to ${method} ${path}`)));
  outgoing.on('error', () => undefined); // head() and the answer report it
  return outgoing;
}

/** Resolves with the head of the answer, whether or not the body of the request is out. */
async function head(outgoing: http.ClientRequest): Promise<http.IncomingMessage> {
  const [message] = (await once(outgoing, 'response')) as [http.IncomingMessage];
  return message;
}

export async function exchange(port: number, request: HttpRequest): Promise<HttpAnswer> {
  const outgoing = begin(port, request);
  const answered = head(outgoing);
  sendBody(outgoing, request.body).catch(() => undefined); // the answer tells
  return receive(await answered);
}

/** The rest of an answer; a cut one is an answer, too. */
async function receive(message: http.IncomingMessage): Promise<HttpAnswer> {
  const parts: Buffer[] = [];
  message.on('data', (part: Buffer) => parts.push(part));
  message.on('error', () => undefined); // 'close' follows, `complete` tells
  if (!message.closed) await once(message, 'close').catch(() => undefined);
  return {
    status: message.statusCode ?? 0,
    reason: message.statusMessage ?? '',
    headers: headerLines(message.rawHeaders),
    body: Buffer.concat(parts),
    isComplete: message.complete,
  };
}

async function sendBody(
  outgoing: http.ClientRequest,
  body: Buffer | AsyncIterable<Buffer> | undefined,
): Promise<void> {
  if (body !== undefined && !Buffer.isBuffer(body)) {
    for await (const part of body) {
      if (outgoing.destroyed) return;
      if (!outgoing.write(part)) await Promise.race([once(outgoing, 'drain'), closed(outgoing)]);
    }
    outgoing.end();
  } else {
    outgoing.end(body);
  }
}

const closed = (outgoing: http.ClientRequest): Promise<void> =>
  new Promise((resolve) => outgoing.once('close', resolve));

function headerLines(raw: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const headers = new Map<string, string[]>();
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = (raw[i] ?? '').toLowerCase();
    headers.set(name, [...(headers.get(name) ?? []), raw[i + 1] ?? '']);
  }
  return headers;
}
