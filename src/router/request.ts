// One request: holds its state, performs the effects of the table, and is the only place from which END_REQUEST comes.
import { performance } from 'node:perf_hooks';
import { ERRORS, isUsherdError, UsherdError, type ErrorCode } from '../errors.js';
import { PairList, ParamsDecoder, Role } from '../fcgi-protocol/index.js';
import { LIMITS } from '../limits.js';
import { admit } from './admission.js';
import type { RouterContext } from './context.js';
import { Deadlines, type DeadlineOwner, type Passed } from './deadlines.js';
import { legTerm, type LegCode } from './leg-terms.js';
import type { LossKind } from './protocols/exchange.js';
import { passedInWords } from './limit-words.js';
import { LOSS_CODES, retryAfter, toldOf } from './loss.js';
import { NOTHING, RequestInput, type InputStream } from './request-input.js';
import { failureAnswer, protocolStatusOf } from './request-failure.js';
import { givenName, REQUEST_NAME_PARAM } from './request-name.js';
import { outcomeOf } from './request-outcome.js';
import { PARAMS, stepRequest } from './request-state.js';
import type { RequestEffect, RequestEvent, RequestStateKind } from './request-state.js';
import type { Assignment, FrontSide, Refusal, RequestFace } from './request-types.js';
import type { Params, Resolved } from './resolve.js';
import { isServed } from './roles.js';
import { WorkerLeg, type LegEvents } from './worker-leg.js';

const SHORT_ANSWER: Refusal = {
  code: 'E_WORKER_PROTOCOL',
  detail: 'the answer is shorter than its Content-Length',
};

/** Until they are here. */
const NO_PARAMS: Params = new PairList();

export class FrontRequest implements LegEvents, RequestFace, DeadlineOwner {
  readonly id: number;
  readonly role: number;
  /** In the logs and in the answer of a failure; ours until the web server's is known. */
  name: string;
  readonly startedMs = performance.now();
  readonly #connection: FrontSide;
  readonly #context: RouterContext;
  readonly #deadlines: Deadlines;
  #state = PARAMS;
  #paramsDecoder: ParamsDecoder | undefined = new ParamsDecoder();
  #params: Params = NO_PARAMS;
  #workerParams: Params = NO_PARAMS;
  #resolution: Resolved | undefined;
  readonly #input: RequestInput;
  /** Where it is, or was last. */
  #leg: WorkerLeg | undefined;
  #refusal: Refusal | undefined;
  /** When the application had it first: its own time begins here, not with a slow upload. */
  #submittedMs = 0;

  constructor(id: number, role: number, connection: FrontSide, context: RouterContext) {
    this.id = id;
    this.role = role;
    this.#connection = connection;
    this.#context = context;
    this.#deadlines = new Deadlines(context.deadlineWatch, this);
    this.name = context.nextRequestName();
    this.#input = new RequestInput(role);
  }

  get isEnded(): boolean {
    return this.#state.kind === 'ended';
  }

  get phase(): RequestStateKind {
    return this.#state.kind;
  }

  get params(): Params {
    return this.#params;
  }

  get method(): string {
    return this.#params.get('REQUEST_METHOD') ?? 'GET';
  }

  get appId(): string | undefined {
    return this.#resolution?.app;
  }

  get resolution(): Resolved {
    if (this.#resolution === undefined) throw new Error('request: not routed yet');
    return this.#resolution;
  }

  get bodyBytes(): number {
    return this.#input.body?.length ?? 0;
  }

  get isInputEnded(): boolean {
    return this.#input.isEnded;
  }

  get assignment(): Assignment | undefined {
    return this.#leg?.assignment;
  }

  // --- from the web server side --------------------------------------------------------------

  begin(): void {
    if (isServed(this.role, this.#connection.bounds)) {
      this.#deadlines.arm('E_HEAD_TIMEOUT', { limitMs: LIMITS.frontParamsDeadlineMs });
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

  onInput(stream: InputStream, content: Buffer): void {
    if (!this.#input.expects(stream)) return;
    if (this.#state.kind === 'params') {
      throw new UsherdError('E_FCGI_STREAM_ORDER', `${stream} before the end of PARAMS`);
    }
    if (this.isEnded) {
      this.#input.skip(stream, content); // an answer came early: the rest is drained
      return;
    }
    this.#guard(() => {
      this.#deadlines.restart('E_BODY_TIMEOUT');
      if (!this.#input.receive(stream, content)) return;
      this.#deadlines.disarm('E_BODY_TIMEOUT');
      this.#step({ kind: 'bodyEnd' });
    });
  }

  /** ABORT_REQUEST, or the connection is gone. */
  onLeft(): void {
    this.#step({ kind: 'left', isBodyWhole: this.isInputEnded });
  }

  // --- from the dispatcher -------------------------------------------------------------------

  routed(workerParams: Params): void {
    this.#input.tellLengths(workerParams);
    workerParams.set(REQUEST_NAME_PARAM, this.name);
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
    this.#refusal = toldOf(refusal, this.#refusal, this.#state);
    this.#step({ kind: 'refused', code: this.#refusal.code });
  }

  // --- from the worker side ------------------------------------------------------------------

  onHead(): void {
    this.#deadlines.disarm('E_START_TIMEOUT');
    this.#deadlines.disarm('E_FIRST_BYTE_TIMEOUT');
    this.#armLimit('E_SILENCE_TIMEOUT');
    this.#step({ kind: 'headSent' });
  }

  onOutput(): void {
    this.#deadlines.restart('E_SILENCE_TIMEOUT');
  }

  onAnswered(): void {
    const isShort = this.#leg?.isShort === true;
    if (isShort) this.#refusal = SHORT_ANSWER;
    this.#step({ kind: 'answered', isShort });
  }

  onLost(kind: LossKind, detail: string): void {
    const { method } = this;
    const hasBegun = this.#leg?.hasBegun ?? false;
    const { isRepeatable } = this.#input;
    this.#refusal = { code: LOSS_CODES[kind], detail };
    const isExternal = this.#leg?.assignment.isExternal ?? false;
    const retry = retryAfter(kind, { method, hasBegun, isRepeatable, isExternal });
    this.#step({ kind: 'lost', code: LOSS_CODES[kind], retry });
  }

  // --- inside --------------------------------------------------------------------------------

  #route(): void {
    this.name = givenName(this.#params) ?? this.name;
    const admission = admit(this, this.#connection.bounds, this.#context);
    if (!admission.ok) {
      this.#resolution = admission.resolution;
      this.refuse(admission.refusal);
      return;
    }
    // One that waits for a worker with a full buffer would keep the rest from another's, which has that worker.
    const isStreamed = admission.isStreamed && !this.#connection.isShared;
    this.#resolution = admission.resolution;
    this.#input.open({
      user: admission.spoolsFor,
      maxBodyBytes: admission.maxBodyBytes,
      announcedBytes: admission.announcedBytes,
      announcedDataBytes: admission.announcedDataBytes,
      isStreamed,
      connection: this.#connection,
      context: this.#context,
      onFailed: (err) => this.refuse({ code: err.code, detail: err.message }),
    });
    this.#deadlines.disarm('E_HEAD_TIMEOUT');
    this.#deadlines.arm('E_BODY_TIMEOUT', { limitMs: LIMITS.frontBodyIdleDeadlineMs });
    this.#step({ kind: 'routed', isBuffered: !isStreamed });
    if (this.role === Role.AUTHORIZER) this.onInput('stdin', NOTHING); // Apache does not even send its end
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
        if (!effect.isRetry) this.#submittedMs = performance.now();
        this.#context.dispatcher.submit(this, effect.isRetry);
        return;
      case 'open':
        this.#open();
        return;
      case 'withdraw':
        this.#context.dispatcher.withdraw(this);
        return;
      case 'abandon':
        // It gets as long to become free as it had for its first byte.
        this.#deadlines.disarm('E_START_TIMEOUT');
        this.#deadlines.disarm('E_SILENCE_TIMEOUT');
        this.#armLimit('E_FIRST_BYTE_TIMEOUT');
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
    const { body, data } = this.#input;
    if (this.#leg === undefined || body === undefined) throw new Error('request: not assigned');
    if (this.#leg.assignment.isFirst) this.#armLimit('E_START_TIMEOUT');
    else this.#armLimit('E_FIRST_BYTE_TIMEOUT');
    this.#armLimit('E_REQUEST_TIMEOUT', this.#submittedMs);
    this.#input.rewind();
    this.#leg.open({ role: this.role, params: this.#workerParams, body, data });
  }

  /** A deadline by the limits of the application. */
  #armLimit(code: LegCode, sinceMs = performance.now()): void {
    const assignment = this.#leg?.assignment;
    if (assignment !== undefined) this.#deadlines.arm(code, legTerm(assignment, code, sinceMs));
  }

  #release(outcome: Extract<RequestEffect, { kind: 'release' }>['outcome']): void {
    this.#deadlines.disarmLeg();
    this.#leg?.close();
    this.#context.dispatcher.released(this, outcome);
  }

  #end(effect: Extract<RequestEffect, { kind: 'end' }>): void {
    this.#deadlines.disarmAll();
    this.#input.dispose();
    this.#context.journal.ended(this, outcomeOf(effect, this.startedMs, this.#leg));
    switch (effect.how) {
      case 'complete':
        this.#connection.endRequest(this, this.#leg?.takeLast() ?? []);
        return;
      case 'error':
        this.#endWithError(effect.code);
        return;
      case 'cut':
        this.#context.journal.failed(this, this.#refusal ?? { code: 'E_WORKER_DIED' });
        this.#connection.cut(this);
        return;
      case 'silent':
        this.#connection.endSilently(this);
    }
  }

  #endWithError(code: ErrorCode): void {
    const refusal = this.#refusal?.code === code ? this.#refusal : { code };
    this.#context.journal.failed(this, refusal);
    const answer = failureAnswer(this, refusal, this.#context);
    this.#connection.endRequest(this, [answer], protocolStatusOf(code));
  }

  onDeadline(passed: Passed): void {
    const { code, limitMs } = passed;
    // Who is waited for is not the one that this deadline is about.
    const isOurs =
      (code === 'E_BODY_TIMEOUT' && this.#connection.isReadingPaused) ||
      (code === 'E_SILENCE_TIMEOUT' && this.#leg?.isPaused === true);
    if (isOurs) {
      this.#deadlines.arm(code, passed);
    } else if (code === 'E_START_TIMEOUT' && this.#context.dispatcher.isAccepted(this)) {
      // It runs, and is slow with its first request: that is another deadline.
      this.#armLimit('E_FIRST_BYTE_TIMEOUT', performance.now() - limitMs);
    } else {
      this.#refusal = { code, detail: passedInWords(passed), passed };
      this.#step({ kind: 'deadline', code });
    }
  }
}
