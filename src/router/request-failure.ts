// A request that failed: its line in the log and the page that its client gets, from one refusal.
import { ERRORS } from '../errors.js';
import type { RouterContext } from './context.js';
import { errorAnswer } from './error-answer.js';
import type { Refusal, RequestFace } from './request-types.js';

const LOGGED_URI_MAX_CHARS = 200;

export function failureAnswer(
  request: RequestFace,
  refusal: Refusal,
  context: RouterContext,
): Buffer {
  const app = request.appId;
  return errorAnswer({
    ...refusal,
    remedy: ERRORS[refusal.code].remedy,
    requestId: request.name,
    method: request.method,
    mode: app === undefined ? 'production' : context.dispatcher.modeOf(app),
    stderrLines: app === undefined ? [] : context.logSink.lastLines(app),
  });
}

export function logFailure(request: RequestFace, refusal: Refusal, context: RouterContext): void {
  const { code, rule, detail } = refusal;
  context.log[ERRORS[code].level](
    {
      errorCode: code,
      rule,
      detail,
      request: request.name,
      app: request.appId,
      worker: request.assignment?.worker,
      method: request.method,
      uri: request.params.get('REQUEST_URI')?.slice(0, LOGGED_URI_MAX_CHARS),
      durationMs: Math.round(performance.now() - request.startedMs),
    },
    'request failed',
  );
}
