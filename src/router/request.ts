// One request: holds its state, performs the effects of the table, and is the only place from which END_REQUEST comes.
import { ERRORS, isUsherdError, UsherdError, type ErrorCode } from '../errors.js';
import { ParamsDecoder, ProtocolStatus, Role } from '../fcgi-protocol/index.js';
import { LIMITS } from '../limits.js';
import { admit } from './admission.js';
import type { RouterContext } from './context.js';
import { Deadline } from './deadline.js';
import type { LossKind } from './protocols/exchange.js';
import { RequestBody } from './request-body.js';
import { failureAnswer, logFailure } from './request-failure.js';
import { PARAMS, stepRequest } from './request-state.js';
import type { RequestEffect, RequestEvent, RequestState, Retry } from './request-state.js';
import type { Assignment, FrontSide, Refusal, RequestFace } from './request-types.js';
import type { Params, Resolved } from './resolve.js';
import { WorkerLeg, type LegEvents } from './worker-leg.js';

const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);
const NOTHING = Buffer.alloc(0);

const LOSS_CODES: Readonly<Record<LossKind, ErrorCode>> = {
  undelivered: 'E_WORKER_DIED',
  died: 'E_WORKER_DIED',
  protocol: 'E_WORKER_PROTOCOL',
};

export class FrontRequest implements LegEvents, RequestFace {
  readonly id: number;
  readonly role: number;
  /** Unique in this router's life; in the log and in the answer of a failure. */
  readonly name: string;
  readonly startedMs = performance.now();
  readonly #connection: FrontSide;
  readonly #context: RouterContext;
  readonly #deadline = new Deadline((code) => this.#onDeadline(code));
  #state: RequestState = PARAMS;
  #paramsDecoder: ParamsDecoder | undefined = new ParamsDecoder();
  #params: Params = new Map();
  #workerParams: Params = new Map();
  #resolution: Resolved | undefined;
  #body: RequestBody | undefined;
  /** Where it is, or was last. */
  #leg: WorkerLeg | undefined;
  #refusal: Refusal | undefined;
  isStdinEnded = false;

  constructor(id: number, role: number, connection: FrontSide, context: RouterContext) {
    this.id = id;
    this.role = role;
    this.#connection = connection;
    this.#context = context;
    this.name = context.nextRequestName();
  }

  get isEnded(): boolean {
    return this.#state.kind === 'ended';
  }

  /** As the web server sent them. */
  get params(): Params {
    return this.#params;
  }

  get method(): string {
    return this.#params.get('REQUEST_METHOD') ?? 'GET';
  }

  get appId(): string | undefined {
    return this.#resolution?.app;
  }

  /** Only once it was routed. */
  get resolution(): Resolved {
    if (this.#resolution === undefined) throw new Error('request: not routed yet');
    return this.#resolution;
  }

  get bodyBytes(): number {
    return this.#body?.spool.length ?? 0;
  }

  get assignment(): Assignment | undefined {
    return this.#leg?.assignment;
  }

  // --- from the web server side --------------------------------------------------------------

  begin(): void {
    if (this.role === Role.RESPONDER) {
      this.#deadline.arm('E_HEAD_TIMEOUT', LIMITS.frontParamsDeadlineMs);
    } else {
      this.refuse({ code: 'E_FCGI_ROLE', detail: `role ${this.role}` });
    }
  }

  onParams(content: Buffer): void {
    const decoder = this.#paramsDecoder;
    if (decoder === undefined || this.isEnded) return; // refused, or PARAMS after its end: never merged
    this.#guard(() => {
      decoder.push(content);
      if (content.length > 0) return;
      this.#paramsDecoder = undefined;
      this.#params = decoder.end();
      this.#route();
    });
  }

  onStdin(content: Buffer): void {
    if (this.#state.kind === 'params') {
      throw new UsherdError('E_FCGI_STREAM_ORDER', 'STDIN before the end of PARAMS');
    }
    if (this.isStdinEnded) return;
    this.isStdinEnded = content.length === 0;
    const body = this.#body;
    if (this.isEnded || body === undefined) return; // an answer came early: the rest is drained
    this.#guard(() => {
      if (!this.isStdinEnded) {
        body.write(content);
        return;
      }
      body.end();
      this.#step({ kind: 'bodyEnd' });
    });
  }

  /** ABORT_REQUEST, or the connection is gone. */
  onLeft(): void {
    this.#step({ kind: 'left' });
  }

  // --- from the dispatcher -------------------------------------------------------------------

  /** Its place in the application is known now. */
  routed(workerParams: Params): void {
    // The body is whole by now, so a chunked one gets its length (PHP reads nothing without).
    if (this.bodyBytes > 0) workerParams.set('CONTENT_LENGTH', String(this.bodyBytes));
    this.#workerParams = workerParams;
  }

  assigned(assignment: Assignment): void {
    this.#refusal = undefined;
    this.#leg = new WorkerLeg({
      request: this,
      assignment,
      connection: this.#connection,
      context: this.#context,
      events: this,
    });
    this.#step({ kind: 'assigned' });
  }

  refuse(refusal: Refusal): void {
    if (this.isEnded || this.#state.kind === 'aborting') return;
    this.#refusal = refusal;
    this.#step({ kind: 'refused', code: refusal.code });
  }

  // --- from the worker side ------------------------------------------------------------------

  onHead(): void {
    const totalMs = this.#leg?.assignment.limits.requestTimeoutMs ?? 0;
    this.#deadline.arm('E_REQUEST_TIMEOUT', totalMs - (performance.now() - this.startedMs));
    this.#step({ kind: 'headSent' });
  }

  onAnswered(): void {
    this.#step({ kind: 'answered' });
  }

  onLost(kind: LossKind, detail: string): void {
    const hasBegun = this.#leg?.hasBegun ?? false;
    this.#refusal = { code: LOSS_CODES[kind], detail };
    const retry = hasBegun ? 'never' : this.#retryAfter(kind);
    this.#step({ kind: 'lost', code: LOSS_CODES[kind], retry });
  }

  #retryAfter(kind: LossKind): Retry {
    if (kind === 'undelivered') return 'undelivered';
    return kind === 'died' && SAFE_METHODS.has(this.method) ? 'once' : 'never';
  }

  // --- inside --------------------------------------------------------------------------------

  #route(): void {
    const admission = admit(this.#params, this.#connection.boundUser, this.#context);
    if (!admission.ok) {
      this.refuse(admission.refusal);
      return;
    }
    const { resolution, maxBodyBytes, announcedBytes } = admission;
    this.#resolution = resolution;
    this.#body = new RequestBody({
      user: resolution.user,
      maxBodyBytes,
      announcedBytes,
      connection: this.#connection,
      context: this.#context,
      onFailed: (err) => this.refuse({ code: err.code, detail: err.message }),
    });
    this.#deadline.arm('E_BODY_TIMEOUT', LIMITS.frontBodyIdleDeadlineMs);
    this.#step({ kind: 'routed', isBuffered: true });
  }

  /** Errors of the catalogue end this request and no more; anything else is a bug and goes up. */
  #guard(act: () => void): void {
    try {
      act();
    } catch (err) {
      if (!isUsherdError(err) || ERRORS[err.code].ends === 'connection') throw err;
      this.#paramsDecoder = undefined;
      this.refuse({ code: err.code, detail: err.message });
    }
  }

  #step(event: RequestEvent): void {
    const { state, effects } = stepRequest(this.#state, event);
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: RequestEffect): void {
    switch (effect.kind) {
      case 'submit':
        this.#deadline.disarm();
        this.#context.dispatcher.submit(this, effect.isRetry);
        return;
      case 'open':
        this.#open();
        return;
      case 'withdraw':
        this.#context.dispatcher.withdraw(this);
        return;
      case 'abandon':
        this.#leg?.abandon();
        return;
      case 'release':
        this.#release(effect.outcome);
        return;
      case 'end':
        this.#end(effect);
    }
  }

  #open(): void {
    const body = this.#body?.spool;
    if (this.#leg === undefined || body === undefined) throw new Error('request: not assigned');
    const { limits, isFirst } = this.#leg.assignment;
    const firstByteMs = Math.min(limits.firstByteTimeoutMs, limits.requestTimeoutMs);
    if (isFirst) this.#deadline.arm('E_START_TIMEOUT', limits.startTimeoutMs);
    else this.#deadline.arm('E_FIRST_BYTE_TIMEOUT', firstByteMs);
    body.rewind();
    this.#leg.open({ role: this.role, params: this.#workerParams, body });
  }

  #release(outcome: 'clean' | 'dirty' | 'deadline'): void {
    this.#deadline.disarm();
    this.#leg?.close();
    this.#context.dispatcher.released(this, outcome);
  }

  #end(effect: Extract<RequestEffect, { kind: 'end' }>): void {
    this.#deadline.disarm();
    this.#body?.dispose();
    switch (effect.how) {
      case 'complete':
        this.#endComplete();
        return;
      case 'error':
        this.#endWithError(effect.code);
        return;
      case 'cut':
        logFailure(this, this.#refusal ?? { code: 'E_WORKER_DIED' }, this.#context);
        this.#connection.cut(this);
        return;
      case 'silent':
        this.#connection.endSilently(this);
    }
  }

  #endComplete(): void {
    if (this.#leg?.isShort !== true) {
      this.#connection.endRequest(this, NOTHING, ProtocolStatus.REQUEST_COMPLETE);
      return;
    }
    const detail = 'the answer is shorter than its Content-Length';
    logFailure(this, { code: 'E_WORKER_PROTOCOL', detail }, this.#context);
    this.#connection.cut(this);
  }

  #endWithError(code: ErrorCode): void {
    const refusal = this.#refusal?.code === code ? this.#refusal : { code };
    logFailure(this, refusal, this.#context);
    const answer = failureAnswer(this, refusal, this.#context);
    const isRole = code === 'E_FCGI_ROLE';
    const status = isRole ? ProtocolStatus.UNKNOWN_ROLE : ProtocolStatus.REQUEST_COMPLETE;
    this.#connection.endRequest(this, answer, status);
  }

  #onDeadline(code: ErrorCode): void {
    const limits = this.#leg?.assignment.limits;
    if (code === 'E_BODY_TIMEOUT' && this.#body !== undefined) {
      const sinceMs = performance.now() - this.#body.lastBytesMs;
      const leftMs = LIMITS.frontBodyIdleDeadlineMs - sinceMs;
      if (leftMs > 0) {
        this.#deadline.arm(code, leftMs);
        return;
      }
    } else if (code === 'E_START_TIMEOUT' && limits !== undefined) {
      // It runs, and is slow with its first request: that is another deadline.
      if (this.#context.dispatcher.isAccepted(this)) {
        const leftMs = limits.firstByteTimeoutMs - limits.startTimeoutMs;
        this.#deadline.arm('E_FIRST_BYTE_TIMEOUT', leftMs);
        return;
      }
    }
    this.#refusal = { code };
    this.#step({ kind: 'deadline', code });
  }
}
