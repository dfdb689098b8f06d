// Requests as a browser makes them: status, headers, body, over connections that are kept or not.
import http from 'node:http';
import type { Socket } from 'node:net';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface HttpRequest {
  readonly port: number;
  readonly path: string;
  readonly method?: string;
  readonly headers?: http.OutgoingHttpHeaders;
  readonly agent?: http.Agent;
  /** Chunks of the request body, written with back-pressure. */
  readonly body?: Iterable<Buffer>;
}

const RACE_CODES: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE']);

/** Connections on which an answer has come. `reusedSocket` is not set where one passes to a request that waits for it. */
const kept = new WeakSet<Socket>();

export function fetchHttp(request: HttpRequest): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = http.request(
      {
        host: '127.0.0.1',
        port: request.port,
        path: request.path,
        method: request.method ?? 'GET',
        headers: request.headers ?? {},
        agent: request.agent ?? false,
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () => {
          if (socket !== undefined) kept.add(socket);
          const status = incoming.statusCode ?? 0;
          resolve({ status, headers: incoming.headers, body: Buffer.concat(chunks) });
        });
      },
    );
    let socket: Socket | undefined;
    let wasKept = false;
    outgoing.on('socket', (given) => {
      socket = given;
      wasKept = kept.has(given);
    });
    outgoing.on('error', (err: NodeJS.ErrnoException) => {
      // A web server may close a kept connection just as the next request is sent on it; browsers try again, too.
      const isRace = wasKept && RACE_CODES.has(err.code ?? '') && request.body === undefined;
      if (isRace) resolve(fetchHttp(request));
      else reject(err);
    });
    const chunks = (request.body ?? [])[Symbol.iterator]();
    const writeMore = (): void => {
      for (let next = chunks.next(); next.done !== true; next = chunks.next()) {
        if (outgoing.write(next.value)) continue;
        outgoing.once('drain', writeMore);
        return;
      }
      outgoing.end();
    };
    writeMore();
  });
}
