// What is kept of requests after they are over: troubles for `usherd status`, lines in the application's logs. Once a request, never on the record path.
import { ERRORS, type ErrorCode } from '../errors.js';
import { accessLine, slowLine } from './access-line.js';
import type { FailureLog } from './failure-log.js';
import type { LogSink } from './log-sink.js';
import { RecentFailures, type RememberedFailure } from './recent-failures.js';
import type { Outcome } from './request-outcome.js';
import type { Refusal, RequestFace } from './request-types.js';

/** What an application wants to have written about its requests. */
export interface RecordRules {
  readonly accessLog: 'off' | 'on' | 'combined';
  /** Requests that took longer have a line in the slow log. */
  readonly slowRequestMs: number;
}

export interface JournalParts {
  readonly failureLog: FailureLog;
  readonly logSink: LogSink;
  /** Undefined for an application that was never started. */
  readonly rulesOf: (app: string) => RecordRules | undefined;
  readonly pidOf: (worker: string) => string;
}

export class Journal {
  readonly #parts: JournalParts;
  readonly #failures = new RecentFailures();
  constructor(parts: JournalParts) {
    this.#parts = parts;
  }

  /** Every request, when its END_REQUEST is on its way. */
  ended(request: RequestFace, outcome: Outcome): void {
    const app = request.appId;
    const rules = app === undefined ? undefined : this.#parts.rulesOf(app);
    if (app === undefined || rules === undefined) return;
    const isSlow = outcome.durationMs >= rules.slowRequestMs;
    if (rules.accessLog === 'off' && !isSlow) return;
    const { files } = this.#parts.logSink;
    const told = { ...outcome, pid: this.#parts.pidOf(request.assignment?.worker ?? '') };
    if (rules.accessLog !== 'off') {
      files.append(app, 'access', accessLine(request, told, rules.accessLog));
    }
    if (isSlow) files.append(app, 'slow', slowLine(request, told));
  }

  /** At most one of a request: it ends once. */
  failed(request: RequestFace, refusal: Refusal): void {
    const { appId: app = '', name } = request;
    const { code, rule = '', detail = '' } = refusal;
    this.#parts.failureLog.write(request, refusal);
    this.#failures.note({ app, code, rule, detail, request: name }, performance.now());
    if (app === '' || isEveryday(code)) return;
    const pid = this.#parts.pidOf(request.assignment?.worker ?? '');
    this.#parts.logSink.note(app, { pid, request: name }, explain(refusal));
  }

  /** A worker ended without having been asked to; often nobody waited for it, so no request tells of it. */
  workerExited(app: string, pid: number, exitCause: string): void {
    const detail = `a worker ended by itself: ${exitCause}`;
    const entry = { app, code: 'E_WORKER_DIED', rule: 'worker-exit', detail, request: '' } as const;
    this.#failures.note(entry, performance.now());
    this.#parts.logSink.note(app, { pid: String(pid) }, detail);
  }

  failures(): readonly RememberedFailure[] {
    return this.#failures.list(performance.now());
  }
}

const isEveryday = (code: ErrorCode): boolean => ERRORS[code].level === 'info';

/** For the owner: what happened, where exactly, what to do. */
function explain({ code, rule = '', detail = '' }: Refusal): string {
  const { reason, meaning, remedy } = ERRORS[code];
  const parts = [`${rule === '' ? reason : rule}: ${meaning}`, detail, remedy];
  return parts.filter((part) => part !== '').join('; ');
}
