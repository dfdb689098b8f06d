// What the parts of the router know of a request and of a front connection: faces, so that no file needs the other's class.
import type { ErrorCode } from '../errors.js';
import type { Passed } from './deadlines.js';
import type { Exchange, ExchangeRequest, ExchangeSink, LossKind } from './protocols/exchange.js';
import type { RequestStateKind } from './request-state.js';
import type { Params, Resolved } from './resolve.js';
import type { FreeWatch } from './worker-socket.js';

/** The limits of its application that a request lives under. */
export interface RequestLimits {
  readonly startTimeoutMs: number;
  readonly firstByteTimeoutMs: number;
  readonly silenceTimeoutMs: number;
  readonly requestTimeoutMs: number;
}

/** A place at a worker. */
export interface Assignment {
  readonly worker: string;
  readonly pid: number;
  /** Which layer of the configuration each limit comes from. */
  readonly origins: Readonly<Record<keyof RequestLimits, string>>;
  readonly limits: RequestLimits;
  /** The worker has not answered anything yet, so it may still be starting. */
  readonly isFirst: boolean;
  /** When the worker was given its first request; Infinity before that. */
  readonly askedAtMs: number;
  /** '' or the body by which the runtime says that there is no such script. */
  readonly missingScriptBody: string;
  /** A program that usherd did not start and cannot replace. */
  readonly isExternal: boolean;
  open(request: ExchangeRequest, sink: ExchangeSink): Exchange;
  /** Tells when the worker is free of a request whose connection was closed; undefined: it takes others meanwhile. */
  whenFree(onFree: (isAlive: boolean) => void): FreeWatch | undefined;
}

/** Why a request was refused, for the answer and the log. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly rule?: string;
  readonly detail?: string;
  /** Nearer to the matter than that of the code. */
  readonly remedy?: string;
  readonly retryAfterMs?: number;
  /** Of a deadline that has passed. */
  readonly passed?: Passed;
}

/** A request as its dispatcher, its worker leg and its connection see it. */
export interface RequestFace {
  readonly id: number;
  /** FastCGI 1.0 §6. */
  readonly role: number;
  /** In the logs and in the answer of a failure. */
  readonly name: string;
  readonly startedMs: number;
  readonly phase: RequestStateKind;
  /** As the web server sent them. */
  readonly params: Params;
  readonly method: string;
  /** Undefined until it was routed. */
  readonly appId: string | undefined;
  /** Only once it was routed. */
  readonly resolution: Resolved;
  readonly bodyBytes: number;
  readonly assignment: Assignment | undefined;
  /** The ends of all its streams have come. */
  readonly isInputEnded: boolean;
  /** Its place in the application is known: what its worker gets. */
  routed(workerParams: Params): void;
  assigned(assignment: Assignment): void;
  refuse(refusal: Refusal): void;
  onLost(kind: LossKind, detail: string): void;
}

/** Where output comes from that a slow web server does not take. */
export interface Pausable {
  /** The user on whose part of the disk it may wait; undefined: it may not. */
  readonly spillsFor: string | undefined;
  pause(): void;
  resume(): void;
}

/** What the administrator says of a front socket. */
export interface FrontBounds {
  /** Requests of another user are refused here; undefined: all are served. */
  readonly user: string | undefined;
  /** The one application that is asked here, as an Authorizer and as nothing else; undefined: any, in every role. */
  readonly authorizer: string | undefined;
}

/** The front connection as its requests see it. */
export interface FrontSide {
  readonly bounds: FrontBounds;
  /** Ended ones whose body is still coming among them. */
  readonly requests: Iterable<RequestFace>;
  /** In as few STDOUT records as hold it. Copies. */
  sendOutput(requestId: number, output: readonly Buffer[]): void;
  /** STDERR records that leave with the end of this request: Debian 12's HAProxy dies of one that comes alone. */
  keepErrorOutput(requestId: number, records: readonly Buffer[]): void;
  /** Write what was gathered; pause `source` if the web server does not read. */
  flush(source: Pausable | undefined): void;
  /** The last of an answer, or one of ours if there was none, and END_REQUEST; REQUEST_COMPLETE unless told otherwise. */
  endRequest(request: RequestFace, output: readonly Buffer[], protocolStatus?: number): void;
  /** The answer is not whole: nothing in FastCGI says so but the end of the connection. */
  cut(request: RequestFace): void;
  /** Nobody waits for this answer any more. */
  endSilently(request: RequestFace): void;
  forgetSource(source: Pausable): void;
  pauseReading(): void;
  resumeReading(): void;
  /** It is usherd that does not take more, not the clients who do not send it. */
  readonly isReadingPaused: boolean;
  /** The router stops: closed with its next answer. */
  drain(): void;
  /** Nothing is asked on it just now. */
  readonly isIdle: boolean;
  /** More than one request is open on it. */
  readonly isShared: boolean;
  /** The web server has taken everything that it was to be sent. */
  readonly isWritten: boolean;
  closeIfIdle(): void;
  destroy(): void;
}
