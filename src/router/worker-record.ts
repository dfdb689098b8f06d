// What the router keeps of one worker, and how a request reaches it: the one place that knows the worker protocols.
import type { ConnectionReuse, WorkerProtocol } from '../config/index.js';
import type { Exchange, ExchangeRequest, ExchangeSink } from './protocols/exchange.js';
import type { FastcgiConnections } from './protocols/fastcgi-connections.js';
import { FastcgiExchange } from './protocols/fastcgi.js';
import { HttpExchange } from './protocols/http.js';
import { ScgiExchange } from './protocols/scgi.js';
import type { RequestFace } from './request-types.js';

export interface WorkerRecord {
  readonly id: string;
  readonly pid: number;
  readonly app: string;
  readonly runtime: string;
  readonly protocol: WorkerProtocol;
  readonly socketPath: string;
  /** Used by workers that speak FastCGI. */
  readonly connections: FastcgiConnections;
  readonly requests: Set<RequestFace>;
  served: number;
  /** Its first byte of an answer has come. */
  hasAnswered: boolean;
}

const EXCHANGES = {
  http: HttpExchange,
  scgi: ScgiExchange,
} as const satisfies Record<Exclude<WorkerProtocol, 'fastcgi'>, unknown>;

export function openExchange(
  worker: WorkerRecord,
  reuse: ConnectionReuse,
  request: ExchangeRequest,
  sink: ExchangeSink,
): Exchange {
  if (worker.protocol === 'fastcgi') {
    return new FastcgiExchange(worker.connections, reuse, request, sink);
  }
  return new EXCHANGES[worker.protocol](worker.socketPath, request, sink);
}
