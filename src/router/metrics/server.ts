// Where metrics are asked for: HTTP on a unix socket of the router's, or on one that systemd made; read only, bounded.
import http from 'node:http';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { LIMITS } from '../../limits.js';
import type { Logger } from '../../log.js';
import { bind, listen, unlinkOwn } from '../listening.js';

export interface Scrape {
  readonly contentType: string;
  readonly pieces: AsyncIterable<string>;
}

export interface MetricsPlaces {
  /** '' for none. */
  readonly socket: string;
  /** `address:port`; '' for none. */
  readonly listen: string;
  readonly inherited: readonly number[];
}

/** Where something listens, and how it is left. */
interface Place {
  readonly server: http.Server;
  readonly leave: () => void;
}

const NOTHING_TO_LEAVE = (): void => undefined;
const PATHS: ReadonlySet<string> = new Set(['/metrics', '/']);
const LOOPBACK = /^\[?([^\]]+)\]?:(\d+)$/;

export class MetricsServer {
  readonly #log: Logger;
  readonly #scrape: () => Promise<Scrape>;
  readonly #places: Place[] = [];
  #scrapesCount = 0;

  constructor(log: Logger, scrape: () => Promise<Scrape>) {
    this.#log = log;
    this.#scrape = scrape;
  }

  /** A place that cannot be had is no reason not to serve requests. */
  async start({ socket, listen: loopback, inherited }: MetricsPlaces): Promise<void> {
    for (const fd of inherited) {
      await this.#open(`descriptor ${fd}`, async (server) => {
        await listen(server, { fd });
        return NOTHING_TO_LEAVE;
      });
    }
    if (socket !== '') {
      await this.#open(socket, async (server) => {
        const inode = await bind(server, socket);
        return () => unlinkOwn(socket, inode);
      });
    }
    const [, host = '', port = ''] = LOOPBACK.exec(loopback) ?? [];
    if (loopback !== '') {
      await this.#open(loopback, async (server) => {
        await listen(server, { host, port: Number(port) });
        return NOTHING_TO_LEAVE;
      });
    }
  }

  stop(): void {
    for (const { server, leave } of this.#places) {
      leave();
      server.close();
      server.closeAllConnections();
    }
    this.#places.length = 0;
  }

  async #open(name: string, begin: (server: http.Server) => Promise<() => void>): Promise<void> {
    const timeouts = {
      requestTimeout: LIMITS.metricsDeadlineMs,
      headersTimeout: LIMITS.metricsHeadDeadlineMs,
    };
    const server = http.createServer(timeouts, (request, response) => {
      void this.#answer(request, response);
    });
    server.maxConnections = LIMITS.metricsConnectionsMaxCount;
    server.setTimeout(LIMITS.metricsDeadlineMs);
    try {
      this.#places.push({ server, leave: await begin(server) });
      this.#log.info({ place: name }, 'metrics open');
    } catch (err) {
      this.#log.error({ place: name, err: String(err) }, 'metrics cannot be had there');
    }
  }

  async #answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    request.resume();
    const [path = ''] = (request.url ?? '').split('?');
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    const isFull = this.#scrapesCount >= LIMITS.metricsScrapesMaxCount;
    if (!isRead || isFull || !PATHS.has(path)) {
      refuse(response, isRead ? (isFull ? 503 : 404) : 405);
      return;
    }
    this.#scrapesCount += 1;
    try {
      const { contentType, pieces } = await this.#scrape();
      response.writeHead(200, { 'Content-Type': contentType });
      if (request.method === 'HEAD') response.end();
      else await pipeline(Readable.from(pieces, { objectMode: false }), response);
    } catch (err) {
      if (response.headersSent) {
        // Who asked has gone away, or does not read.
        this.#log.debug({ err: String(err) }, 'scrape not finished');
        response.destroy();
      } else {
        this.#log.error({ err }, 'metrics cannot be told');
        refuse(response, 500);
      }
    } finally {
      this.#scrapesCount -= 1;
    }
  }
}

function refuse(response: http.ServerResponse, status: number): void {
  response.writeHead(status, { 'Content-Type': 'text/plain' });
  response.end(`${http.STATUS_CODES[status] ?? ''}\n`);
}
