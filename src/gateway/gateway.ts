// A small HTTP front for trying usherd without a web server. Not for production: no TLS, no access log, files only for `usherd dev`.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { isUsherdError, UsherdError } from '../errors.js';
import { LIMITS } from '../limits.js';
import type { Logger } from '../log.js';
import { Exchange } from './exchange.js';
import { applicationDirectory, frontParams } from './front-params.js';
import { sendListing, sendText, type Link } from './plain-answer.js';
import { sendFile, sendSlash, type PlainFile } from './plain-file.js';
import { parseTarget, type PathResult } from './url-path.js';

export interface GatewayOptions {
  /** usherd's front socket. */
  readonly socketPath: string;
  /** Where applications are, as in the configuration: `/srv/{user}/apps/{app}`. */
  readonly root: string;
  /** What the page at `/` lists. */
  readonly links: readonly Link[];
  readonly log: Logger;
  /** What is sent as it is, as a web server would; without it usherd is asked for everything. */
  readonly findFile?: (directory: string, rest: string) => PlainFile | undefined;
}

/**
 * Node would destroy the connection at once, and what is still on its way from the client would reset it there, with the
 * answer unread. It is called again for what comes after. It may come in the middle of the answer to a request before.
 */
function refuseUnreadable(err: NodeJS.ErrnoException, socket: Duplex, isAnswering: boolean): void {
  if (socket.writableEnded) return;
  if (!socket.writable || isAnswering) {
    socket.destroy();
    return;
  }
  const isTooLarge = err.code === 'HPE_HEADER_OVERFLOW';
  const status = isTooLarge ? '431 Request Header Fields Too Large' : '400 Bad Request';
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  const timer = setTimeout(() => socket.destroy(), LIMITS.frontLingerMs);
  socket.once('close', () => clearTimeout(timer));
}

/** Serves `/~USER/apps/APP/…` from usherd. */
export class Gateway {
  readonly #options: GatewayOptions;
  readonly #server: Server;
  readonly #open = new Set<ServerResponse>();

  constructor(options: GatewayOptions) {
    this.#options = options;
    // The router has the deadlines; a slow upload is not the gateway's business.
    this.#server = createServer({ requestTimeout: 0 }, (request, response) => {
      this.#admit(request, response);
    });
    this.#server.on('clientError', (err, socket) => {
      refuseUnreadable(err, socket, this.#isAnswering(socket));
    });
    this.#server.maxConnections = LIMITS.gatewayConnectionsMaxCount;
  }

  /**
   * @returns the port, which the system chose if 0 was given
   * @throws UsherdError E_STARTUP_SOCKET
   */
  async listen(port: number, host = '127.0.0.1'): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (cause: NodeJS.ErrnoException) => {
        const detail = `cannot listen on ${host} port ${port} (${cause.code ?? cause.message})`;
        reject(new UsherdError('E_STARTUP_SOCKET', detail, { cause }));
      });
      this.#server.listen(port, host, resolve);
    });
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : port;
  }

  /** Stops at once: open requests are cut. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  #isAnswering(socket: Duplex): boolean {
    return [...this.#open].some(({ req, headersSent }) => headersSent && req.socket === socket);
  }

  #admit(request: IncomingMessage, response: ServerResponse): void {
    if (this.#open.size >= LIMITS.gatewayRequestsMaxCount) {
      sendText(response, 503, 'The gateway has as many requests open as it takes.');
      return;
    }
    this.#open.add(response);
    response.once('close', () => this.#open.delete(response));
    this.#serve(request, response).catch((err: unknown) => {
      this.#options.log.error({ err }, 'request failed');
      if (!response.headersSent && isUsherdError(err)) sendText(response, 431, err.message);
      else response.destroy();
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socketPath, root, links, log } = this.#options;
    const target = parseTarget(request.url ?? '/');
    switch (target.kind) {
      case 'listing':
        sendListing(response, links);
        return;
      case 'refused':
        sendText(response, target.status, 'Applications are at /~USER/apps/APP/.');
        return;
      case 'app': {
        if (await this.#sendPlain(request, response, target)) return;
        const params = await frontParams(request, target, root);
        if (!response.destroyed) new Exchange({ request, response, params, socketPath, log });
      }
    }
  }

  /** True where the answer is a file, or the way to one. */
  async #sendPlain(
    { method = 'GET' }: IncomingMessage,
    response: ServerResponse,
    { path, query }: Extract<PathResult, { kind: 'app' }>,
  ): Promise<boolean> {
    const { findFile, root } = this.#options;
    if (findFile === undefined || (method !== 'GET' && method !== 'HEAD')) return false;
    const found = findFile(applicationDirectory(root, path), path.rest);
    if (found?.kind === 'file') {
      await sendFile(response, found.path, { isHead: method === 'HEAD' });
    } else if (found?.kind === 'directory') {
      sendSlash(response, path.prefix + path.rest, query);
    }
    return found !== undefined;
  }
}
