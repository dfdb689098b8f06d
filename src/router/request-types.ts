// What a request and the dispatcher tell each other.
import type { ErrorCode } from '../errors.js';
import type { Exchange, ExchangeRequest, ExchangeSink } from './protocols/exchange.js';

/** The limits of its application that a request lives under. */
export interface RequestLimits {
  readonly startTimeoutMs: number;
  readonly firstByteTimeoutMs: number;
  readonly requestTimeoutMs: number;
}

/** A place at a worker. */
export interface Assignment {
  readonly worker: string;
  readonly limits: RequestLimits;
  /** The worker has not answered anything yet, so it may still be starting. */
  readonly isFirst: boolean;
  /** '' or the body by which the runtime says that there is no such script. */
  readonly missingScriptBody: string;
  open(request: ExchangeRequest, sink: ExchangeSink): Exchange;
}

/** Why a request was refused, for the answer and the log. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly rule?: string;
  readonly detail?: string;
  readonly retryAfterMs?: number;
}
