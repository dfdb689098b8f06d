// What becomes of a request whose worker connection ended without a whole answer: the code for it, and whether it is tried again.
import type { ErrorCode } from '../errors.js';
import { isSafeMethod } from './methods.js';
import type { LossKind } from './protocols/exchange.js';
import type { RequestState, Retry } from './request-state.js';
import type { Refusal } from './request-types.js';

export const LOSS_CODES: Readonly<Record<LossKind, ErrorCode>> = {
  undelivered: 'E_WORKER_DIED',
  unreachable: 'E_NO_DESCRIPTOR',
  unread: 'E_WORKER_DIED',
  died: 'E_WORKER_DIED',
  protocol: 'E_WORKER_PROTOCOL',
};

/** Where there is no next try because of workers that died of the request, the answer tells of those. */
export function toldOf(refusal: Refusal, lost: Refusal | undefined, state: RequestState): Refusal {
  // One that never reached a worker has done nothing: it may come again when the back-off is over.
  const hasReached = state.kind === 'waiting' && state.tries.repeated > 0;
  const isOwnDoing = hasReached && refusal.code === 'E_CRASH_LOOP';
  return isOwnDoing && lost?.code === 'E_WORKER_DIED' ? lost : refusal;
}

interface LostRequest {
  readonly method: string;
  /** Bytes of an answer have come. */
  readonly hasBegun: boolean;
  /** Another worker can have all of its body. */
  readonly isRepeatable: boolean;
  /** Another worker would be the same one. */
  readonly isExternal: boolean;
}

export function retryAfter(kind: LossKind, request: LostRequest): Retry {
  if (request.isExternal || request.hasBegun || !request.isRepeatable) return 'never';
  if (kind === 'protocol' || kind === 'unreachable') return 'never';
  if (kind === 'undelivered') return 'undelivered';
  if (!isSafeMethod(request.method)) return 'never';
  return kind === 'unread' ? 'unread' : 'once';
}
