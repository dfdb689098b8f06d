// A request as an HTTP worker gets it: method, target and headers, made of params. Pure; the bytes on the wire are Node's.
import { unescapePath } from '../url-path.js';
import type { Params } from '../resolve.js';

export interface HttpRequestHead {
  readonly method: string;
  readonly target: string;
  /** Name, value, name, value, …; framing headers are not among them. */
  readonly headers: readonly string[];
  /** What was cut off the front of the path, escaped; '' at the root of a host. */
  readonly prefix: string;
}

/** RFC 9110 §5.6.2; CONNECT would make a tunnel. */
const METHOD = /^(?!CONNECT$)[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}$/;
const HEADER_PARAM = /^HTTP_[A-Z0-9_]+$/;
/** What a header value cannot hold: everything but tab, space, and bytes that are printed. */
const UNSENDABLE = /[^\t\x20-\x7e\x80-\xff]/;
const UNSENDABLE_IN_TARGET = /[^\x21-\x7e]/g;
/** RFC 3986 §3.3: what stands in a path for itself. */
const ESCAPED_IN_PATH = /[^A-Za-z0-9\-._~!$&'()*+,;=:@/]/g;

// Said by usherd below, out of what the web server knows: a client's own would be believed as much as ours.
const OURS: ReadonlySet<string> = new Set([
  ...['HTTP_HOST', 'HTTP_FORWARDED', 'HTTP_X_REAL_IP', 'HTTP_X_REMOTE_USER', 'HTTP_X_SCRIPT_NAME'],
  'HTTP_SCRIPT_NAME', // gunicorn takes it for SCRIPT_NAME
]);
const OUR_PREFIX = 'HTTP_X_FORWARDED_';

const escapePath = (path: string): string => path.replace(ESCAPED_IN_PATH, escapeByte);

const escapeByte = (char: string): string =>
  `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;

/** The part of REQUEST_URI behind the mount, with the escapes that the client wrote; undefined where it says something else. */
function rawPath(requestUri: string, scriptName: string, pathInfo: string): string | undefined {
  const raw = requestUri.replace(/\?.*$/s, '');
  const mountLength = scriptName.split('/').length;
  const mount = raw.split('/').slice(0, mountLength).join('/');
  const rest = raw.slice(mount.length);
  const isSame = unescapePath(mount) === scriptName && unescapePath(rest) === pathInfo;
  return isSame ? rest : undefined;
}

function targetOf(params: Params): string {
  const pathInfo = params.get('PATH_INFO') ?? '';
  const raw = rawPath(params.get('REQUEST_URI') ?? '', params.get('SCRIPT_NAME') ?? '', pathInfo);
  const path = raw ?? escapePath(pathInfo);
  const query = params.get('QUERY_STRING') ?? '';
  const target = `${path === '' ? '/' : path}${query === '' ? '' : `?${query}`}`;
  return target.replace(UNSENDABLE_IN_TARGET, escapeByte);
}

/** `HTTP_ACCEPT_LANGUAGE` → `Accept-Language`. */
const headerName = (param: string): string =>
  param
    .slice('HTTP_'.length)
    .split('_')
    .map((word) => word.slice(0, 1) + word.slice(1).toLowerCase())
    .join('-');

/** Only the web server knows; HTTPS=on also where a balancer in front of it has undone TLS. */
function schemeOf(params: Params): 'http' | 'https' {
  const https = params.get('HTTPS') ?? '';
  if (https !== '' && https !== 'off') return 'https';
  return params.get('REQUEST_SCHEME') === 'https' ? 'https' : 'http';
}

const hostOf = (params: Params): string =>
  [params.get('HTTP_HOST'), params.get('SERVER_NAME')].find(Boolean) ?? 'localhost';

/** What a reverse proxy says of the request, under the names that frameworks read. */
function ours(params: Params, prefix: string): readonly (readonly [string, string | undefined])[] {
  const host = hostOf(params);
  return [
    ['Host', host],
    ['Content-Type', params.get('CONTENT_TYPE')],
    ['X-Forwarded-For', params.get('REMOTE_ADDR')],
    ['X-Real-Ip', params.get('REMOTE_ADDR')],
    ['X-Forwarded-Proto', schemeOf(params)],
    ['X-Forwarded-Host', host],
    ['X-Forwarded-Port', params.get('SERVER_PORT')],
    ['X-Forwarded-Prefix', prefix],
    ['X-Remote-User', params.get('REMOTE_USER')],
  ];
}

/** Undefined for a method that no HTTP worker should be asked. Values that HTTP cannot carry are left out. */
export function httpRequestHead(params: Params): HttpRequestHead | undefined {
  const method = params.get('REQUEST_METHOD') ?? 'GET';
  if (!METHOD.test(method)) return undefined;
  const prefix = escapePath(params.get('SCRIPT_NAME') ?? '');
  const headers: string[] = [];
  const add = (name: string, value: string | undefined): void => {
    if (value !== undefined && value !== '' && !UNSENDABLE.test(value)) headers.push(name, value);
  };
  for (const [name, value] of ours(params, prefix)) add(name, value);
  for (const [name, value] of params) {
    if (HEADER_PARAM.test(name) && !OURS.has(name) && !name.startsWith(OUR_PREFIX)) {
      add(headerName(name), value);
    }
  }
  return { method, target: targetOf(params), headers, prefix };
}
