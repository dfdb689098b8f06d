// Which limit of an application is behind each deadline of a request's time at one of its workers.
import type { Term } from './deadlines.js';
import type { Assignment } from './request-types.js';

/** Deadlines of a request's time at one worker, by the limits of its application. */
export type LegCode =
  'E_START_TIMEOUT' | 'E_FIRST_BYTE_TIMEOUT' | 'E_SILENCE_TIMEOUT' | 'E_REQUEST_TIMEOUT';

type Limited = Pick<Assignment, 'limits' | 'origins'>;

export function legTerm({ limits, origins }: Limited, code: LegCode, sinceMs: number): Term {
  switch (code) {
    case 'E_START_TIMEOUT':
      return { limitMs: limits.startTimeoutMs, limitFrom: origins.startTimeoutMs, sinceMs };
    case 'E_FIRST_BYTE_TIMEOUT':
      return { limitMs: limits.firstByteTimeoutMs, limitFrom: origins.firstByteTimeoutMs, sinceMs };
    case 'E_SILENCE_TIMEOUT':
      return { limitMs: limits.silenceTimeoutMs, limitFrom: origins.silenceTimeoutMs, sinceMs };
    case 'E_REQUEST_TIMEOUT':
      return { limitMs: limits.requestTimeoutMs, limitFrom: origins.requestTimeoutMs, sinceMs };
  }
}
