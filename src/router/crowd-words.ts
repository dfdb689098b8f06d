// Why a request found no worker, in words that say what to change: which limit is reached, its value, where that stands, and what holds the workers.
import type { ErrorCode } from '../errors.js';
import type { AppFacts } from '../ipc/index.js';
import type { Crowd } from '../pool/index.js';
import { originInWords, seconds } from './limit-words.js';

/** A request that has a worker. */
export interface InFlight {
  readonly line: string;
  readonly ageMs: number;
}

const LONGEST_MAX_COUNT = 3;
const LINE_MAX_CHARS = 60;

type Facts = Pick<AppFacts, 'app' | 'limits' | 'maxWorkersPerUser' | 'origins'>;

/** Of these an application can have too many requests; of other refusals the code says it all. */
const QUEUE_KEYS: ReadonlyMap<ErrorCode, string> = new Map([
  ['E_QUEUE_FULL', 'queue_length'],
  ['E_QUEUE_DEADLINE', 'queue_timeout'],
  ['E_SPAWN_LIMIT', ''],
]);

/** Undefined where that is not what the code is about. */
export function crowdWords(
  code: ErrorCode,
  crowd: Crowd,
  facts: Facts,
  inFlight: readonly InFlight[],
): { readonly detail: string; readonly remedy: string } | undefined {
  const queueKey = QUEUE_KEYS.get(code);
  if (queueKey === undefined) return undefined;
  const { text, key } = workersOf(crowd, facts);
  const detail = [text, waitingOf(code, crowd, facts), longestOf(inFlight)]
    .filter((part) => part !== '')
    .join('; ');
  const keys = [key, queueKey].filter((name) => name !== '').join(' or ');
  const raise = keys === '' ? '' : `raise ${keys}, or `;
  const show = `\`usherd requests ${facts.app}\` shows what it does`;
  return { detail, remedy: `${raise}make the application faster; ${show}` };
}

/** What there is, and the limit that keeps it from being more. */
function workersOf(
  { workers, stopping, full }: Crowd,
  { app, limits, maxWorkersPerUser, origins }: Facts,
): { readonly text: string; readonly key: string } {
  const ending = stopping === 0 ? '' : `, ${stopping} of them being stopped`;
  const user = app.slice(0, app.indexOf('/'));
  const some = `${full?.count ?? workers} of ${full?.max ?? 0} workers`;
  const ofUser = `max_workers_per_user, ${originInWords(origins.maxWorkersPerUser)}`;
  switch (full?.level) {
    case 'app': // an application never has more than its user
      return limits.maxWorkersPerApp >= maxWorkersPerUser
        ? { text: `${some} (${ofUser})${ending}`, key: 'max_workers_per_user' }
        : {
            text: `${some} (max_workers_per_app, ${originInWords(origins.maxWorkersPerApp)})${ending}`,
            key: 'max_workers_per_app',
          };
    case 'user':
      return {
        text: `${some} of ${user} (${ofUser}), ${workers} of this application${ending}`,
        key: 'max_workers_per_user',
      };
    case 'total':
      return {
        text: `${some} of all users (max_workers), ${workers} of this application${ending}`,
        key: 'max_workers',
      };
    case undefined:
      return { text: `workers: ${workers}${ending}`, key: '' };
  }
}

function waitingOf(
  code: ErrorCode,
  { waiting, oldestWaitMs }: Crowd,
  { limits, origins }: Facts,
): string {
  if (code === 'E_QUEUE_DEADLINE') {
    const origin = originInWords(origins.queueTimeoutMs);
    return `waited for ${seconds(limits.queueTimeoutMs)} (queue_timeout, ${origin})${waiting === 0 ? '' : `, as do ${waiting} more`}`;
  }
  if (code !== 'E_QUEUE_FULL') return '';
  const origin = originInWords(origins.queueLength);
  return `${waiting} waiting (queue_length ${limits.queueLength}, ${origin}), the first for ${seconds(oldestWaitMs)}`;
}

function longestOf(inFlight: readonly InFlight[]): string {
  const longest = [...inFlight].sort((one, other) => other.ageMs - one.ageMs);
  const shown = longest
    .slice(0, LONGEST_MAX_COUNT)
    .map(({ line, ageMs }) => `${line.slice(0, LINE_MAX_CHARS)} for ${seconds(ageMs)}`);
  return shown.length === 0 ? '' : `at work: ${shown.join(', ')}`;
}
