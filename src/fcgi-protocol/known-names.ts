// Names of params that nearly every request has, each with a number: told from their bytes without a string being made of them.
// The list is for speed only. What it does not have is as good a name as any.
import { Buffer } from 'node:buffer';

export const KNOWN_NAMES: readonly string[] = [
  ...['GATEWAY_INTERFACE', 'SERVER_PROTOCOL', 'REQUEST_METHOD', 'QUERY_STRING', 'REQUEST_URI'],
  ...['SCRIPT_NAME', 'SCRIPT_FILENAME', 'PATH_INFO', 'PATH_TRANSLATED', 'DOCUMENT_ROOT'],
  ...['DOCUMENT_URI', 'CONTENT_LENGTH', 'CONTENT_TYPE', 'REDIRECT_STATUS', 'REDIRECT_URI'],
  ...['REDIRECT_URL', 'REDIRECT_HANDLER', 'REDIRECT_QUERY_STRING', 'REQUEST_SCHEME', 'HTTPS'],
  ...['SERVER_SIGNATURE', 'SERVER_SOFTWARE', 'SERVER_NAME', 'SERVER_ADDR', 'SERVER_PORT'],
  ...['SERVER_ADMIN', 'REMOTE_ADDR', 'REMOTE_PORT', 'REMOTE_USER', 'AUTH_TYPE', 'PATH'],
  ...['CONTEXT_PREFIX', 'CONTEXT_DOCUMENT_ROOT', 'UNIQUE_ID', 'USHERD_TOKEN', 'USHERD_STATUS'],
  ...['HTTP_HOST', 'HTTP_USER_AGENT', 'HTTP_ACCEPT', 'HTTP_ACCEPT_ENCODING', 'HTTP_COOKIE'],
  ...['HTTP_ACCEPT_LANGUAGE', 'HTTP_REFERER', 'HTTP_ORIGIN', 'HTTP_CACHE_CONTROL', 'HTTP_PRAGMA'],
  ...['HTTP_CONNECTION', 'HTTP_AUTHORIZATION', 'HTTP_RANGE', 'HTTP_DNT', 'HTTP_PRIORITY'],
  ...['HTTP_IF_NONE_MATCH', 'HTTP_IF_MODIFIED_SINCE', 'HTTP_X_REQUEST_ID', 'HTTP_CONTENT_LENGTH'],
  ...['HTTP_X_FORWARDED_FOR', 'HTTP_X_FORWARDED_PROTO', 'HTTP_X_FORWARDED_HOST', 'HTTP_X_REAL_IP'],
  ...['HTTP_X_REQUESTED_WITH', 'HTTP_UPGRADE_INSECURE_REQUESTS', 'HTTP_CONTENT_TYPE', 'HTTP_VIA'],
  ...['HTTP_SEC_FETCH_DEST', 'HTTP_SEC_FETCH_MODE', 'HTTP_SEC_FETCH_SITE', 'HTTP_SEC_FETCH_USER'],
  ...['HTTP_SEC_CH_UA', 'HTTP_SEC_CH_UA_MOBILE', 'HTTP_SEC_CH_UA_PLATFORM', 'HTTP_PROXY'],
];

/** Instead of the number of a name that has none. */
export const UNKNOWN_NAME = -1;

const NUMBERS: ReadonlyMap<string, number> = new Map(KNOWN_NAMES.map((name, i) => [name, i]));
const BYTES = KNOWN_NAMES.map((name) => Buffer.from(name, 'latin1'));

const SLOTS_COUNT = 256;

/** Any three bytes would do: names that fall together are told apart by all of theirs. */
const slotOf = (length: number, middle: number, last: number): number =>
  (length * 5 + middle * 3 + last) & (SLOTS_COUNT - 1);

const slotOfBytes = (bytes: Uint8Array, start: number, length: number): number =>
  slotOf(length, bytes[start + (length >>> 1)] ?? 0, bytes[start + length - 1] ?? 0);

/** The numbers of the names in each slot. */
const SLOTS: readonly (readonly number[])[] = Array.from({ length: SLOTS_COUNT }, (_, slot) =>
  [...BYTES.keys()].filter((number) => {
    const name = BYTES[number];
    return name !== undefined && slotOfBytes(name, 0, name.length) === slot;
  }),
);

const NONE: readonly number[] = [];

export const numberOfName = (name: string): number => NUMBERS.get(name) ?? UNKNOWN_NAME;

export function numberOfNameAt(bytes: Uint8Array, start: number, length: number): number {
  for (const number of SLOTS[slotOfBytes(bytes, start, length)] ?? NONE) {
    if (isNameAt(number, bytes, start, length)) return number;
  }
  return UNKNOWN_NAME;
}

function isNameAt(number: number, bytes: Uint8Array, start: number, length: number): boolean {
  const name = BYTES[number];
  if (name?.length !== length) return false;
  for (let i = 0; i < length; i += 1) if (name[i] !== bytes[start + i]) return false;
  return true;
}
