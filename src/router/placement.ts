// A request's place at a worker: what it is told of the worker, and how it is opened there.
import type { RuntimeConfig } from '../config/index.js';
import type { AppFacts } from '../ipc/index.js';
import type { Exchange, ExchangeRequest, ExchangeSink } from './protocols/exchange.js';
import type { Assignment, RequestLimits } from './request-types.js';
import { openExchange, watchFree, type WorkerRecord } from './worker-record.js';
import type { FreeWatch } from './worker-socket.js';

export class Placement implements Assignment {
  readonly limits: RequestLimits;
  readonly origins: Readonly<Record<keyof RequestLimits, string>>;
  readonly isFirst: boolean;
  readonly #worker: WorkerRecord;
  /** Undefined where the configuration does not have it any more. */
  readonly #runtime: RuntimeConfig | undefined;

  constructor(worker: WorkerRecord, facts: AppFacts, runtime: RuntimeConfig | undefined) {
    this.#worker = worker;
    this.#runtime = runtime;
    this.limits = facts.limits;
    this.origins = facts.origins;
    this.isFirst = !worker.hasAnswered;
  }

  get worker(): string {
    return this.#worker.id;
  }

  get pid(): number {
    return this.#worker.pid;
  }

  get askedAtMs(): number {
    return this.#worker.askedAtMs ?? Infinity;
  }

  get isExternal(): boolean {
    return this.#worker.external !== undefined;
  }

  get missingScriptBody(): string {
    return this.#runtime?.missingScriptBody ?? '';
  }

  open(request: ExchangeRequest, sink: ExchangeSink): Exchange {
    const own = this.#runtime?.params;
    if (own !== undefined) {
      for (const [name, value] of Object.entries(own)) request.params.set(name, value);
    }
    return openExchange(this.#worker, this.#runtime?.keepConnections ?? 'never', request, sink);
  }

  whenFree(onFree: (isAlive: boolean) => void): FreeWatch | undefined {
    return watchFree(this.#worker, onFree);
  }
}
