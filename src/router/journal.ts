// What is kept of requests after they are over: troubles for `usherd status`, lines in the application's logs. Once a request, never on the record path.
import { ERRORS, remedyOf, type ErrorCode } from '../errors.js';
import { accessLine, slowLine } from './access-line.js';
import type { AppRegistry } from './app-registry.js';
import type { FailureLog } from './failure-log.js';
import { KindRate } from './kind-rate.js';
import type { LogOrigin } from './log-store.js';
import type { LogSink } from './log-sink.js';
import { RecentFailures, type RememberedFailure } from './recent-failures.js';
import type { Outcome } from './request-outcome.js';
import type { Refusal, RequestFace } from './request-types.js';

export interface JournalParts {
  readonly failureLog: FailureLog;
  readonly logSink: LogSink;
  readonly registry: AppRegistry;
}

export class Journal {
  readonly #parts: JournalParts;
  readonly #failures = new RecentFailures();
  readonly #oddities = new KindRate();

  constructor(parts: JournalParts) {
    this.#parts = parts;
  }

  /** Every request, when its END_REQUEST is on its way. */
  ended(request: RequestFace, outcome: Outcome): void {
    const { registry, logSink } = this.#parts;
    const app = registry.app(request.appId ?? '');
    registry.figuresOf(app).ended(outcome);
    if (app?.facts === undefined) return; // it was never started
    const { accessLog, limits } = app.facts;
    const isSlow = outcome.durationMs >= limits.slowRequestMs;
    if (accessLog === 'off' && !isSlow) return;
    const told = { ...outcome, pid: this.#pidOf(request) };
    if (accessLog !== 'off') {
      logSink.files.append(app.id, 'access', accessLine(request, told, accessLog));
    }
    if (isSlow) logSink.files.append(app.id, 'slow', slowLine(request, told));
  }

  /** At most one of a request: it ends once. */
  failed(request: RequestFace, refusal: Refusal): void {
    const { appId: app = '', name } = request;
    const { code, rule = '', detail = '', remedy = '' } = refusal;
    const { registry } = this.#parts;
    registry.figuresOf(registry.app(app)).failed(code);
    this.#parts.failureLog.write(request, refusal);
    this.#failures.note({ app, code, rule, detail, remedy, request: name }, performance.now());
    if (app === '' || isEveryday(code)) return;
    this.#parts.logSink.note(
      app,
      { pid: this.#pidOf(request), request: name },
      explain(refusal, app),
    );
  }

  /** Something was wrong with an answer that was delivered all the same: a line for its owner. */
  odd(request: RequestFace, kind: string, text: string): void {
    const { appId: app = '', name } = request;
    this.#note(app, { pid: this.#pidOf(request), request: name }, kind, text);
  }

  /** No worker could be started where no request tells of it: the ones of before go on, or nobody has asked yet. */
  startRefused(app: string, refusal: Refusal): void {
    const { code, rule = '', detail = '', remedy = '' } = refusal;
    const isRunning = (this.#parts.registry.app(app)?.workerCount ?? 0) > 0;
    if (isEveryday(code) && !isRunning) return;
    this.#failures.note({ app, code, rule, detail, remedy, request: '' }, performance.now());
    this.#note(app, {}, `start ${rule}`, `no new worker: ${explain(refusal, app)}`);
  }

  /** A worker ended, and not because it had been asked to; often nobody waited for it, so no request tells of it. */
  workerExited(app: string, pid: number, how: string): void {
    const detail = `a worker ${how}`;
    const entry = { app, code: 'E_WORKER_DIED', rule: 'worker-exit', detail } as const;
    this.#failures.note({ ...entry, remedy: '', request: '' }, performance.now());
    this.#parts.logSink.note(app, { pid: String(pid) }, detail);
  }

  #note(app: string, who: Partial<LogOrigin>, kind: string, text: string): void {
    const omitted = this.#oddities.admit(`${app} ${kind}`);
    if (omitted === undefined) return;
    const more = omitted === 0 ? '' : ` (${omitted} more like it)`;
    this.#parts.logSink.note(app, who, text + more);
  }

  #pidOf({ assignment }: RequestFace): string {
    return this.#parts.registry.identify(assignment?.worker ?? '').pid;
  }

  failures(): readonly RememberedFailure[] {
    return this.#failures.list(performance.now());
  }
}

const isEveryday = (code: ErrorCode): boolean => ERRORS[code].level === 'info';

/** For the owner: what happened, where exactly, what to do. */
function explain(refusal: Refusal, app: string): string {
  const { code, rule = '', detail = '' } = refusal;
  const { reason, meaning } = ERRORS[code];
  const remedy = `remedy: ${remedyOf(refusal, app)}`;
  const parts = [`${rule === '' ? reason : rule}: ${meaning}`, detail, remedy];
  return parts.filter((part) => part !== '').join('; ');
}
