// What the router keeps of one worker, and how a request reaches it: the one place that knows the worker protocols.
import { performance } from 'node:perf_hooks';
import type { ConnectionReuse, WorkerProtocol } from '../config/index.js';
import type { RetireReason } from '../pool/index.js';
import type { Exchange, ExchangeRequest, ExchangeSink } from './protocols/exchange.js';
import { FastcgiConnections } from './protocols/fastcgi-connections.js';
import { FastcgiExchange } from './protocols/fastcgi.js';
import { HttpExchange } from './protocols/http.js';
import { ScgiExchange } from './protocols/scgi.js';
import { connectOwned, type OwnedPath } from './owned-socket.js';
import type { RequestFace } from './request-types.js';
import { whenFree, type FreeWatch } from './worker-socket.js';

export interface WorkerRecord {
  readonly id: string;
  readonly pid: number;
  readonly app: string;
  readonly runtime: string;
  readonly protocol: WorkerProtocol;
  readonly socketPath: string;
  /** Used by workers that speak FastCGI. */
  readonly connections: FastcgiConnections;
  /** A program that usherd did not start, and whose its socket has to be. */
  readonly external: OwnedPath | undefined;
  readonly requests: Set<RequestFace>;
  served: number;
  /** When it was given its first request. */
  askedAtMs: number | undefined;
  /** Its first byte of an answer has come. */
  hasAnswered: boolean;
  /** Why it was asked to end, if the router did. */
  retiredFor: RetireReason | undefined;
  /** Called when its last request has left. */
  onIdle: (() => void) | undefined;
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
  const { external, connections, socketPath, protocol } = worker;
  worker.askedAtMs ??= performance.now();
  const open = (path: string, kept: FastcgiConnections, how: ConnectionReuse): Exchange =>
    protocol === 'fastcgi'
      ? new FastcgiExchange(kept, how, request, sink)
      : new EXCHANGES[protocol](path, request, sink);
  if (external === undefined) return open(socketPath, connections, reuse);
  // Neither kept, nor looked at again for whether it is free: the name is good for one connection.
  return connectOwned(external, sink, (path) =>
    open(path, new FastcgiConnections(path, Infinity), 'never'),
  );
}

/** One that takes many requests at once is free already; of an external one the name is not asked for again. */
export function watchFree(
  { connections, external, socketPath }: WorkerRecord,
  onFree: (isAlive: boolean) => void,
): FreeWatch | undefined {
  if (external !== undefined || connections.concurrency > 1) return undefined;
  return whenFree(socketPath, onFree);
}
