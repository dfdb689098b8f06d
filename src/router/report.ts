// What the router tells the supervisor for `usherd status`: one small message a row, bounded by the frame size.
import type { RouterMessage } from '../ipc/index.js';
import type { PoolSet } from '../pool/index.js';
import type { AppRegistry } from './app-registry.js';
import type { RouterContext } from './context.js';
import type { RequestFace } from './request-types.js';

const SHOWN_MAX_CHARS = 200;

interface ReportOptions {
  readonly serial: number;
  readonly context: RouterContext;
  readonly pools: PoolSet<RequestFace>;
  readonly registry: AppRegistry;
  readonly send: (row: RouterMessage) => void;
}

export function sendReport(options: ReportOptions): void {
  const { serial, context, send } = options;
  let waiting = 0;
  for (const pool of options.pools.describe()) {
    const { app, runtime, state, queue, served, refused } = pool;
    waiting += queue;
    send({ type: 'reportApp', serial, app, runtime, state, queue, served, refused });
    for (const { worker, state, requestsServed, inFlight } of pool.workers) {
      const requests = options.registry.worker(worker)?.requests ?? [];
      const [current] = requests;
      const currentRequest = current === undefined ? '' : shown(current);
      send({
        type: 'reportWorker',
        serial,
        worker,
        state,
        requestsServed,
        inFlight,
        currentRequest,
      });
    }
  }
  send({
    type: 'reportRouter',
    serial,
    frontConnections: context.counters.frontConnections,
    requestsActive: context.counters.requestsActive,
    requestsWaiting: waiting,
    requestsTotal: context.counters.requestsTotal,
    bufferedBytes: Math.max(0, context.writeBudget.bytes),
    spooledBytes: context.spoolBudget.diskBytes,
  });
  send({ type: 'reportEnd', serial });
}

/** Printable ASCII only: it ends up on an administrator's terminal. */
function shown(request: RequestFace): string {
  const uri = request.params.get('REQUEST_URI') ?? request.params.get('SCRIPT_NAME') ?? '';
  return `${request.method} ${uri}`.replace(/[^\x20-\x7e]/g, '?').slice(0, SHOWN_MAX_CHARS);
}
