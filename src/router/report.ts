// What the router tells the supervisor for `usherd status` and `usherd requests`: one small message a row, bounded by the frame size.
import type { RouterMessage } from '../ipc/index.js';
import { LIMITS } from '../limits.js';
import type { PoolSet } from '../pool/index.js';
import type { AppRegistry } from './app-registry.js';
import type { RouterContext } from './context.js';
import { printable, requestLine } from './request-line.js';
import type { FrontSide, RequestFace } from './request-types.js';

export interface ReportOptions {
  readonly serial: number;
  readonly context: RouterContext;
  readonly pools: PoolSet<RequestFace>;
  readonly registry: AppRegistry;
  readonly connections: Iterable<FrontSide>;
  readonly send: (row: RouterMessage) => void;
}

export class Report {
  readonly #options: ReportOptions;

  constructor(options: ReportOptions) {
    this.#options = options;
  }

  status(): void {
    const waiting = this.#pools();
    this.#failures();
    this.#router(waiting);
    this.#end();
  }

  /** Those that are not answered yet, the oldest first. */
  requests(): void {
    const { serial, connections, send } = this.#options;
    const open: RequestFace[] = [];
    for (const connection of connections) open.push(...connection.requests);
    open.sort((one, other) => one.startedMs - other.startedMs);
    let count = 0;
    for (const request of open) {
      if (request.phase === 'ended') continue;
      if (count === LIMITS.requestsReportedMaxCount) break;
      count += 1;
      send({
        type: 'reportRequest',
        serial,
        app: request.appId ?? '',
        request: request.name,
        state: request.phase,
        worker: request.phase === 'waiting' ? '' : (request.assignment?.worker ?? ''),
        ageMs: Math.round(performance.now() - request.startedMs),
        line: requestLine(request),
      });
    }
    this.#end();
  }

  /** Returns how many requests wait in all of them. */
  #pools(): number {
    const { serial, pools, registry, send } = this.#options;
    const early = this.#earlyQueues();
    let waiting = 0;
    for (const pool of pools.describe()) {
      const { app, runtime, state, served, refused } = pool;
      const queue = pool.queue + (early.get(app) ?? 0);
      early.delete(app);
      waiting += queue;
      send({ type: 'reportApp', serial, app, runtime, state, queue, served, refused });
      for (const { worker, state, requestsServed, inFlight } of pool.workers) {
        const [current] = registry.worker(worker)?.requests ?? [];
        const currentRequest = current === undefined ? '' : requestLine(current);
        const figures = { state, requestsServed, inFlight, currentRequest };
        send({ type: 'reportWorker', serial, worker, ...figures });
      }
    }
    for (const [app, queue] of early) {
      waiting += queue;
      const figures = { queue, served: 0, refused: 0 };
      send({ type: 'reportApp', serial, app, runtime: '', state: 'starting', ...figures });
    }
    return waiting;
  }

  /** Requests of applications that nothing is known of yet: they wait in front of the pools. */
  #earlyQueues(): Map<string, number> {
    const early = new Map<string, number>();
    for (const { id, pending } of this.#options.registry.apps()) {
      if (pending.size > 0) early.set(id, pending.size);
    }
    return early;
  }

  #failures(): void {
    const { serial, context, send } = this.#options;
    const nowMs = performance.now();
    for (const failure of context.journal.failures()) {
      const { app, code, rule, detail, remedy, request, atMs, times } = failure;
      send({
        ...{ type: 'reportFailure', serial, app, code, times },
        rule: printable(rule, LIMITS.ipcRuleMaxChars),
        detail: printable(detail, LIMITS.ipcDetailMaxChars),
        remedy: printable(remedy, LIMITS.ipcDetailMaxChars),
        request,
        ageMs: Math.round(nowMs - atMs),
      });
    }
  }

  #router(waiting: number): void {
    const { serial, context, send } = this.#options;
    const { frontConnections, requestsActive, requestsTotal } = context.counters;
    send({
      type: 'reportRouter',
      serial,
      frontConnections,
      requestsActive,
      requestsWaiting: waiting,
      requestsTotal,
      bufferedBytes: Math.max(0, context.writeBudget.bytes),
      spooledBytes: context.spoolBudget.diskBytes,
    });
  }

  #end(): void {
    this.#options.send({ type: 'reportEnd', serial: this.#options.serial });
  }
}
