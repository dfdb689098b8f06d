// One request on one worker, whatever protocol the worker speaks: what the request tells it and what it tells the request.
import type { Params } from '../resolve.js';
import type { BodySource } from '../body-source.js';

/** How a worker connection ended without a whole answer. */
export type LossKind =
  /** The request never reached the worker: nothing was read of it. */
  | 'undelivered'
  /** The same, and it is our own doing: the worker is as good as any. */
  | 'unreachable'
  /** The connection was reset before an answer began: some of the request was not read, perhaps nothing of it. */
  | 'unread'
  /** The connection ended before its answer did. */
  | 'died'
  /** The worker broke its protocol. */
  | 'protocol';

/** The request's side. `content` stays what it is until `outputFlush` has returned, and no longer. */
export interface ExchangeSink {
  /** Bytes of a CGI answer: header block, blank line, body. */
  output(content: Buffer): void;
  errorOutput(content: Buffer): void;
  /** Everything read in one turn was passed on: write it out. */
  outputFlush(): void;
  /** The answer is whole, whatever END_REQUEST says of the program's exit status. */
  answered(exitStatus?: number): void;
  lost(kind: LossKind, detail: string): void;
}

export interface ExchangeRequest {
  readonly role: number;
  readonly params: Params;
  readonly body: BodySource;
  /** The file of a Filter. */
  readonly data?: BodySource | undefined;
}

/** The worker's side. After `answered` or `lost` nothing more comes. */
export interface Exchange {
  /** Stop reading the worker: the web server side is full. */
  pause(): void;
  resume(): void;
  /** Close at once; no callback follows. */
  drop(): void;
}
