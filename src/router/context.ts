// What every front connection and request is given by the router: shared budgets, counters, and the way to a worker.
import type { Logger } from '../log.js';
import type { DeadlineWatch } from './deadline-watch.js';
import type { SpoolBudget } from './spool-budget.js';
import type { WriteBudget } from './write-budget.js';
import type { FrontTokens } from './front-tokens.js';
import type { Journal } from './journal.js';
import type { LogSink } from './log-sink.js';
import type { Resolved, Roots } from './resolve.js';
import type { Outcome } from './request-state.js';
import type { FrontSide, RequestFace } from './request-types.js';

/** Plain counters: read by status and metrics, written in place. */
export interface RouterCounters {
  frontConnections: number;
  connectionsRefused: number;
  requestsActive: number;
  requestsTotal: number;
  protocolErrors: number;
  retries: number;
}

/** The way from a request to a worker and back. */
export interface Dispatcher {
  submit(request: RequestFace, isRetry: boolean): void;
  withdraw(request: RequestFace): void;
  released(request: RequestFace, outcome: Outcome): void;
  firstByte(request: RequestFace): void;
  /** Whether the worker has taken the connection of this request out of its accept queue. */
  isAccepted(request: RequestFace): boolean;
  /** Its worker, which takes one at a time, still starts and has not even accepted it. */
  isUntouched(request: RequestFace): boolean;
  /** Whether failures of this application are explained to the client. */
  modeOf(app: string): 'production' | 'development';
  /** Bytes; 0 where there is no limit, undefined where nobody has looked yet what it is. */
  bodyLimitOf(app: string): number | undefined;
  /**
   * Whether a request body is passed on as it comes; false as long as nothing is known of the application. One without a length
   * only to a program that is known to speak HTTP: others take it for none.
   */
  streams(resolution: Resolved, hasLength: boolean): boolean;
}

export interface RouterContext {
  readonly deadlineWatch: DeadlineWatch;
  readonly log: Logger;
  readonly counters: RouterCounters;
  readonly writeBudget: WriteBudget;
  readonly spoolBudget: SpoolBudget;
  readonly spoolDirectory: string;
  readonly logSink: LogSink;
  readonly journal: Journal;
  readonly dispatcher: Dispatcher;
  roots(): Roots;
  /** By which a web server proves that a request is for the status page. */
  readonly statusTokens: FrontTokens;
  /** Undefined where requests need no token. */
  frontTokens(): FrontTokens | undefined;
  /** Whether web servers get a copy of what workers say on STDERR. */
  copiesStderr(): boolean;
  nextRequestName(): string;
  connectionClosed(connection: FrontSide): void;
}
