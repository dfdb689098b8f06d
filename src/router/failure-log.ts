// The log lines of requests that failed: a storm of them is a few lines and a number.
import { ERRORS } from '../errors.js';
import type { Logger } from '../log.js';
import { KindRate } from './kind-rate.js';
import type { Refusal, RequestFace } from './request-types.js';

const LOGGED_URI_MAX_CHARS = 200;

export class FailureLog {
  readonly #log: Logger;
  /** Of one application about one kind of failure; what is left out is counted on the next line. */
  readonly #rate = new KindRate();

  constructor(log: Logger) {
    this.#log = log;
  }

  write(request: RequestFace, refusal: Refusal): void {
    const { code, rule, detail, remedy = '', passed } = refusal;
    const omitted = this.#rate.admit(`${request.appId ?? ''} ${code}`);
    if (omitted === undefined) return;
    this.#log[ERRORS[code].level](
      {
        errorCode: code,
        rule,
        detail,
        ...(remedy !== '' && { remedy }),
        request: request.name,
        app: request.appId,
        worker: request.assignment?.worker,
        workerPid: request.assignment?.pid,
        method: request.method,
        uri: request.params.get('REQUEST_URI')?.slice(0, LOGGED_URI_MAX_CHARS),
        durationMs: Math.round(performance.now() - request.startedMs),
        ...(passed !== undefined && {
          limitMs: passed.limitMs,
          limitFrom: passed.limitFrom,
          elapsedMs: Math.round(passed.elapsedMs),
        }),
        ...(omitted > 0 && { omitted }),
      },
      'request failed',
    );
  }
}
