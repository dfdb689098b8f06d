// One line of an access log, and one of the slow log. What a client or an application sent is escaped and cut.
import type { Outcome } from './request-outcome.js';
import type { RequestFace } from './request-types.js';

interface Told extends Outcome {
  readonly pid: string;
}

const URI_MAX_CHARS = 2_048;
const FIELD_MAX_CHARS = 512;

const hex = (char: string): string =>
  `\\x${char.charCodeAt(0).toString(16).padStart(2, '0').slice(-2)}`;

/** Inside quotation marks: as Apache writes it, so that programs which read its logs read these. */
function escaped(text: string, maxChars: number): string {
  return text
    .slice(0, maxChars)
    .replace(/["\\]/g, (char) => `\\${char}`)
    .replace(/[^\x20-\x7e]/g, hex);
}

/** A field without quotation marks: it has no spaces either. */
const word = (text: string | undefined): string =>
  text === undefined || text === '' ? '-' : escaped(text, FIELD_MAX_CHARS).replace(/ /g, '\\x20');

const quoted = (text: string | undefined, maxChars: number): string =>
  `"${text === undefined || text === '' ? '-' : escaped(text, maxChars)}"`;

const MONTHS = [
  ...['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun'],
  ...['Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'],
];

const two = (value: number): string => String(value).padStart(2, '0');

/** `[26/Nov/2026:02:25:48 +0000]`. */
function clfTime(date: Date): string {
  const day = `${two(date.getUTCDate())}/${MONTHS[date.getUTCMonth()] ?? ''}/${date.getUTCFullYear()}`;
  const time = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two).join(':');
  return `[${day}:${time} +0000]`;
}

const requestLine = ({ method, params }: RequestFace): string =>
  `${method} ${params.get('REQUEST_URI') ?? params.get('SCRIPT_NAME') ?? '-'} ${params.get('SERVER_PROTOCOL') ?? '-'}`;

const seconds = (ms: number): string => (ms / 1_000).toFixed(3);

/**
 * `combined` is Apache's and nginx's format of this name. `on` has four more fields at its end: seconds in all,
 * seconds before a worker had it, the worker's process id, and the request id.
 */
export function accessLine(
  request: RequestFace,
  told: Told,
  format: 'on' | 'combined',
  date = new Date(),
): string {
  const { params } = request;
  const combined = [
    word(params.get('REMOTE_ADDR')),
    '-',
    word(params.get('REMOTE_USER')),
    clfTime(date),
    quoted(requestLine(request), URI_MAX_CHARS),
    told.status,
    told.bodyBytes,
    quoted(params.get('HTTP_REFERER'), FIELD_MAX_CHARS),
    quoted(params.get('HTTP_USER_AGENT'), FIELD_MAX_CHARS),
  ].join(' ');
  if (format === 'combined') return `${combined}\n`;
  return `${combined} ${seconds(told.durationMs)} ${seconds(told.waitMs)} ${told.pid} ${request.name}\n`;
}

/** Begins like a line of the application's own log. */
export function slowLine(request: RequestFace, told: Told, date = new Date()): string {
  const { durationMs, waitMs, status, pid } = told;
  const times = `${seconds(durationMs)} s, of these ${seconds(waitMs)} s waiting for a worker`;
  const line = quoted(requestLine(request), URI_MAX_CHARS);
  return `${date.toISOString()} ${pid} ${request.name} slow ${times}, ${status} ${line}\n`;
}
