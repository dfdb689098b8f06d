// A request's time at one worker: its answer on the way back, and what is known of it when it ends. A retry gets a new one.
import { performance } from 'node:perf_hooks';
import { isUsherdError } from '../errors.js';
import { Role } from '../fcgi-protocol/index.js';
import { Answer, odditiesOf } from './answer.js';
import type { RouterContext } from './context.js';
import type { Exchange, ExchangeRequest, ExchangeSink, LossKind } from './protocols/exchange.js';
import type { DeadlineOwner } from './deadlines.js';
import { ErrorCopy } from './error-copy.js';
import { failureAnswer, whenExplained } from './request-failure.js';
import type { Assignment, FrontSide, Pausable, RequestFace } from './request-types.js';
import { permission } from './verdict.js';
import type { FreeWatch } from './worker-socket.js';

/** What the leg tells its request. */
export interface LegEvents extends DeadlineOwner {
  /** The header block is on its way to the web server: from now on the answer can only be cut. */
  onHead(): void;
  /** More of the answer goes out. */
  onOutput(): void;
  onAnswered(): void;
  onLost(kind: LossKind, detail: string): void;
}

interface LegOptions {
  readonly request: RequestFace;
  readonly assignment: Assignment;
  readonly connection: FrontSide;
  readonly context: RouterContext;
  readonly events: LegEvents;
}

export class WorkerLeg implements ExchangeSink, Pausable {
  readonly assignment: Assignment;
  readonly openedMs = performance.now();
  readonly #options: LegOptions;
  readonly #answer: Answer;
  #exchange: Exchange | undefined;
  #isAbandoned = false;
  #isClosed = false;
  #errorCopy: ErrorCopy | undefined;
  #freeWatch: FreeWatch | undefined;
  /** The web server does not read: nobody can say that the worker is silent. */
  isPaused = false;

  constructor(options: LegOptions) {
    const { request, assignment, context } = options;
    this.#options = options;
    this.assignment = assignment;
    this.#answer = new Answer({
      method: request.method,
      missingScriptBody: assignment.missingScriptBody,
      replace: (code) => failureAnswer(request, { code }, context),
      hold: request.role === Role.AUTHORIZER ? permission : undefined,
    });
  }

  get spillsFor(): string | undefined {
    return this.#answer.isLive ? undefined : this.#options.request.resolution.user;
  }

  /** Bytes of an answer have come. */
  get hasBegun(): boolean {
    return this.#answer.isBegun;
  }

  /** Of the answer; 0 before its head. */
  get status(): number {
    return this.#answer.status;
  }

  /** Given to the web server so far. */
  get bodyBytes(): number {
    return this.#answer.bodyBytes;
  }

  /** The worker announced more than it sent. */
  get isShort(): boolean {
    return this.#answer.isShort;
  }

  /** What is left of the answer, when it has ended. */
  takeLast(): readonly Buffer[] {
    return this.#answer.takeLast();
  }

  open(exchange: ExchangeRequest): void {
    this.#exchange = this.assignment.open(exchange, this);
  }

  pause(): void {
    this.isPaused = true;
    this.#exchange?.pause();
  }

  resume(): void {
    this.isPaused = false;
    this.#options.events.onOutput();
    this.#exchange?.resume();
  }

  /**
   * The client left. The end of the connection is the only abort that every library stands; a program sees it at its next
   * write. That it is free again is seen from its accepting another connection, unless it has not accepted this one: then
   * it is as free as one that starts for nobody, which may go for the sake of others, until `start_timeout` is over.
   */
  abandon(): void {
    const { request, context, events } = this.#options;
    const isUntouched = context.dispatcher.isUntouched(request);
    this.#isAbandoned = true;
    this.#exchange?.drop();
    const { askedAtMs, limits, origins } = this.assignment;
    const { startTimeoutMs: limitMs } = limits;
    const elapsedMs = performance.now() - askedAtMs;
    if (isUntouched && elapsedMs >= limitMs) {
      const limitFrom = origins.startTimeoutMs;
      events.onDeadline({ code: 'E_START_TIMEOUT', limitMs, limitFrom, elapsedMs });
      return;
    }
    if (!isUntouched) {
      this.#freeWatch = this.assignment.whenFree((isAlive) => {
        if (isAlive) this.answered();
        else this.lost('died', 'was gone after its client had left');
      });
    }
    if (this.#freeWatch === undefined) events.onAnswered(); // which says nothing of whether it has come up
  }

  close(): void {
    this.#isClosed = true;
    this.#freeWatch?.stop();
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    this.#exchange = undefined;
    exchange.drop();
    this.#options.connection.forgetSource(this);
  }

  output(content: Buffer): void {
    const { request, context, events } = this.#options;
    if (!this.#answer.isBegun) context.dispatcher.firstByte(request);
    try {
      this.#answer.push(content);
    } catch (err) {
      if (!isUsherdError(err)) throw err;
      events.onLost('protocol', err.message);
    }
  }

  outputFlush(): void {
    const { request, connection, events } = this.#options;
    const wasTaken = this.#answer.isTaken;
    const output = this.#answer.take();
    if (output.length > 0) {
      if (wasTaken) events.onOutput();
      else events.onHead();
      connection.sendOutput(request.id, output);
    }
    connection.flush(this.#exchange === undefined ? undefined : this);
  }

  errorOutput(content: Buffer): void {
    const { request, connection, context } = this.#options;
    const { worker } = this.assignment;
    context.logSink.write(request.resolution.app, content, { worker, request: request.name });
    if (!context.copiesStderr()) return;
    this.#errorCopy ??= new ErrorCopy(request.id);
    connection.keepErrorOutput(request.id, this.#errorCopy.records(content));
  }

  /** An end before the header block is whole happens with uWSGI, Perl and Go; it must not become a 200. */
  answered(exitStatus = 0): void {
    const { request, context, events } = this.#options;
    if (this.#isAbandoned) {
      context.dispatcher.firstByte(request);
      events.onAnswered();
    } else if (this.#answer.isHeadComplete) {
      for (const { kind, text } of odditiesOf(this.#answer, exitStatus)) {
        context.journal.odd(request, kind, text);
      }
      events.onAnswered();
    } else {
      this.lost('protocol', 'ended before its header block was complete');
    }
  }

  lost(kind: LossKind, detail: string): void {
    const { request, context, events } = this.#options;
    whenExplained(request, context, () => {
      if (!this.#isClosed) events.onLost(kind, detail);
    });
  }
}
