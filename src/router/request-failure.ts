// A request that failed: the page that its client gets.
import { ERRORS, type ErrorCode } from '../errors.js';
import { ProtocolStatus } from '../fcgi-protocol/index.js';
import type { RouterContext } from './context.js';
import { errorAnswer } from './error-answer.js';
import type { Refusal, RequestFace } from './request-types.js';

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

/** What END_REQUEST says of it; web servers look at the answer instead. */
export const protocolStatusOf = (code: ErrorCode): number =>
  code === 'E_FCGI_ROLE' ? ProtocolStatus.UNKNOWN_ROLE : ProtocolStatus.REQUEST_COMPLETE;
