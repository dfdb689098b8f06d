// A request that failed: the page that its client gets.
import { remedyOf, type ErrorCode } from '../errors.js';
import { ProtocolStatus } from '../fcgi-protocol/index.js';
import type { RouterContext } from './context.js';
import { errorAnswer, type ErrorAnswerInput } from './error-answer.js';
import type { Refusal, RequestFace } from './request-types.js';

type Mode = ErrorAnswerInput['mode'];

/**
 * A worker that ended had its last words in our log socket before that, perhaps on a connection that we have not accepted
 * yet. So many turns of the event loop accept it, read its label, and read what it says.
 */
const TURNS_TO_READ_LOG = 3;

/** Calls back now, or, where the page shows the last lines of the log, when those are read that were there before. */
export function whenExplained(
  request: RequestFace,
  context: RouterContext,
  callback: () => void,
): void {
  if (modeOf(request, context) === 'production') callback();
  else afterTurns(TURNS_TO_READ_LOG, callback);
}

function afterTurns(count: number, callback: () => void): void {
  if (count === 0) callback();
  else setImmediate(afterTurns, count - 1, callback);
}

const modeOf = ({ appId }: RequestFace, { dispatcher }: RouterContext): Mode =>
  appId === undefined ? 'production' : dispatcher.modeOf(appId);

export function failureAnswer(
  request: RequestFace,
  refusal: Refusal,
  context: RouterContext,
): Buffer {
  const app = request.appId;
  return errorAnswer({
    ...refusal,
    remedy: remedyOf(refusal, app ?? ''),
    requestId: request.name,
    method: request.method,
    mode: modeOf(request, context),
    stderrLines: app === undefined ? [] : context.logSink.lastLines(app),
  });
}

/** What END_REQUEST says of it; web servers look at the answer instead. */
export const protocolStatusOf = (code: ErrorCode): number =>
  code === 'E_FCGI_ROLE' ? ProtocolStatus.UNKNOWN_ROLE : ProtocolStatus.REQUEST_COMPLETE;
