// What becomes of a request whose worker connection ended without a whole answer: the code for it, and whether it is tried again.
import type { ErrorCode } from '../errors.js';
import { isSafeMethod } from './methods.js';
import type { LossKind } from './protocols/exchange.js';
import type { Retry } from './request-state.js';

export const LOSS_CODES: Readonly<Record<LossKind, ErrorCode>> = {
  undelivered: 'E_WORKER_DIED',
  unread: 'E_WORKER_DIED',
  died: 'E_WORKER_DIED',
  protocol: 'E_WORKER_PROTOCOL',
};

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
  if (request.isExternal || request.hasBegun || !request.isRepeatable || kind === 'protocol')
    return 'never';
  if (kind === 'undelivered') return 'undelivered';
  if (!isSafeMethod(request.method)) return 'never';
  return kind === 'unread' ? 'unread' : 'once';
}
