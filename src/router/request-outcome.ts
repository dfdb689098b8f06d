// How a request ended, in numbers: for logs and metrics.
import { performance } from 'node:perf_hooks';
import { ERRORS, type ErrorCode } from '../errors.js';
import type { RequestEffect } from './request-state.js';

export interface Outcome {
  /** Of the answer that went to the web server; 499 where the client left before there was one. */
  readonly status: number;
  readonly bodyBytes: number;
  /** Before a worker had it; all of it if none ever had. */
  readonly waitMs: number;
  readonly durationMs: number;
  /** What went wrong, if usherd says so. */
  readonly code: ErrorCode | undefined;
}

/** As nginx has it in its log, and as people look for it. */
const CLIENT_LEFT = 499;

/** What the last worker leg knows. */
export interface LegFigures {
  readonly status: number;
  readonly bodyBytes: number;
  readonly openedMs: number;
}

export function outcomeOf(
  effect: Extract<RequestEffect, { kind: 'end' }>,
  startedMs: number,
  leg: LegFigures | undefined,
): Outcome {
  const nowMs = performance.now();
  const durationMs = nowMs - startedMs;
  const waitMs = (leg?.openedMs ?? nowMs) - startedMs;
  const sentBytes = leg?.bodyBytes ?? 0;
  const sent = leg === undefined || leg.status === 0 ? CLIENT_LEFT : leg.status;
  // Written out four times over: copies of objects cost more than all the rest of this, at every request.
  switch (effect.how) {
    case 'complete':
      return { status: sent, bodyBytes: sentBytes, waitMs, durationMs, code: undefined };
    case 'silent':
      return { status: CLIENT_LEFT, bodyBytes: sentBytes, waitMs, durationMs, code: undefined };
    case 'cut':
      return { status: sent, bodyBytes: sentBytes, waitMs, durationMs, code: 'E_WORKER_DIED' };
    case 'error': {
      const status = ERRORS[effect.code].status || 500;
      return { status, bodyBytes: 0, waitMs, durationMs, code: effect.code };
    }
  }
}
