// The log lines of requests that failed: a storm of them is a few lines and a number.
import { ERRORS } from '../errors.js';
import { LIMITS } from '../limits.js';
import type { Logger } from '../log.js';
import type { Refusal, RequestFace } from './request-types.js';
import { TokenBucket, type Rate } from './token-bucket.js';

const LOGGED_URI_MAX_CHARS = 200;

/** How many lines one application may write about one kind of failure; what is left out is counted on the next. */
const RATE: Rate = { burst: LIMITS.failureLogBurstCount, perS: LIMITS.failureLogPerS };

interface Kind {
  readonly bucket: TokenBucket;
  omitted: number;
}

export class FailureLog {
  readonly #log: Logger;
  /** In the order of their last line. */
  readonly #kinds = new Map<string, Kind>();

  constructor(log: Logger) {
    this.#log = log;
  }

  write(request: RequestFace, refusal: Refusal): void {
    const { code, rule, detail, passed } = refusal;
    const omitted = this.#admit(`${request.appId ?? ''} ${code}`);
    if (omitted === undefined) return;
    this.#log[ERRORS[code].level](
      {
        errorCode: code,
        rule,
        detail,
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

  /** How many lines like this one were left out since the last; undefined if this one is, too. */
  #admit(key: string): number | undefined {
    const nowMs = performance.now();
    const kind = this.#kinds.get(key) ?? { bucket: new TokenBucket(RATE, nowMs), omitted: 0 };
    this.#kinds.delete(key);
    this.#kinds.set(key, kind);
    if (this.#kinds.size > LIMITS.failureLogKindsMaxCount) {
      const [oldest] = this.#kinds.keys();
      if (oldest !== undefined) this.#kinds.delete(oldest);
    }
    if (!kind.bucket.take(1, nowMs)) {
      kind.omitted += 1;
      return undefined;
    }
    const { omitted } = kind;
    kind.omitted = 0;
    return omitted;
  }
}
