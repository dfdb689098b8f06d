// What is kept of requests after they are over: troubles for `usherd status`. Never on the record path: once a request.
import type { FailureLog } from './failure-log.js';
import { RecentFailures, type RememberedFailure } from './recent-failures.js';
import type { Refusal, RequestFace } from './request-types.js';

export class Journal {
  readonly #failures = new RecentFailures();
  readonly #failureLog: FailureLog;

  constructor(failureLog: FailureLog) {
    this.#failureLog = failureLog;
  }

  /** At most one of a request: it ends once. */
  failed(request: RequestFace, refusal: Refusal): void {
    const { code, rule = '', detail = '' } = refusal;
    const { appId: app = '', name } = request;
    this.#failureLog.write(request, refusal);
    this.#failures.note({ app, code, rule, detail, request: name }, performance.now());
  }

  /** A worker ended without having been asked to; often nobody waited for it, so no request tells of it. */
  workerExited(app: string, exitCause: string): void {
    const detail = `a worker ended by itself: ${exitCause}`;
    const failure = {
      app,
      code: 'E_WORKER_DIED',
      rule: 'worker-exit',
      detail,
      request: '',
    } as const;
    this.#failures.note(failure, performance.now());
  }

  failures(): readonly RememberedFailure[] {
    return this.#failures.list(performance.now());
  }
}
