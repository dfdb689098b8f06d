// The params of one request, named and filled as Apache does it with the generic configuration (conf.example/apache/usherd.conf).
import { stat } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import type { AppPath } from './url-path.js';

/** Headers that speak of the connection to the browser (RFC 9110 §7.6.1), or that CGI carries under another name. */
const NOT_PASSED = new Set([
  'connection',
  'content-length',
  'content-type',
  'expect',
  'keep-alive',
  'proxy', // would become HTTP_PROXY, which HTTP clients obey
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Where the URL leaves the file system, as Apache's directory walk finds it. */
export interface Located {
  readonly scriptFilename: string;
  /** The part of `rest` that belongs to scriptFilename. */
  readonly consumed: string;
  readonly pathInfo: string;
}

type Kind = 'directory' | 'file' | 'absent';

async function kindOf(path: string): Promise<Kind> {
  try {
    const found = await stat(Buffer.from(path, 'latin1'));
    return found.isDirectory() ? 'directory' : 'file';
  } catch {
    return 'absent'; // missing, or not for the gateway's eyes: the walk ends here either way
  }
}

/**
 * Walks `rest` below `directory` up to and including the first component that is a file or does not exist;
 * what is behind it is PATH_INFO. The router mends what this gets wrong, as it does for Apache.
 */
async function locate(directory: string, rest: string): Promise<Located> {
  let consumed = '';
  let remaining = rest;
  while ((await kindOf(directory + consumed)) === 'directory' && remaining !== '') {
    const end = remaining.indexOf('/', 1);
    const step = end === -1 ? remaining : remaining.slice(0, end);
    consumed += step;
    remaining = remaining.slice(step.length);
  }
  return { scriptFilename: directory + consumed, consumed, pathInfo: remaining };
}

function addHeaders(params: Map<string, string>, request: IncomingMessage): void {
  const named = (request.headers.connection ?? '').toLowerCase().split(/\s*,\s*/);
  for (const [name, value] of Object.entries(request.headers)) {
    // Anything but letters, digits and '-' would be ambiguous once '-' has become '_'.
    if (value === undefined || NOT_PASSED.has(name) || named.includes(name)) continue;
    if (!/^[a-z0-9-]+$/.test(name)) continue;
    const text = Array.isArray(value) ? value.join(', ') : value;
    params.set(`HTTP_${name.toUpperCase().replaceAll('-', '_')}`, text);
  }
  const { 'content-type': type, 'content-length': length } = request.headers;
  if (type !== undefined) params.set('CONTENT_TYPE', type);
  if (length !== undefined) params.set('CONTENT_LENGTH', length);
}

function addConnection(params: Map<string, string>, request: IncomingMessage): void {
  const { socket } = request;
  const host = request.headers.host ?? '';
  params.set('SERVER_SOFTWARE', 'usherd-gateway');
  params.set('SERVER_NAME', host.replace(/:\d*$/, '') || 'localhost');
  params.set('SERVER_ADDR', socket.localAddress ?? '');
  params.set('SERVER_PORT', String(socket.localPort ?? 0));
  params.set('REMOTE_ADDR', socket.remoteAddress ?? '');
  params.set('REMOTE_PORT', String(socket.remotePort ?? 0));
  params.set('REQUEST_SCHEME', 'http');
}

/** @param root pattern with `{user}` and `{app}` */
export const applicationDirectory = (
  root: string,
  { user, app }: Pick<AppPath, 'user' | 'app'>,
): string => root.replaceAll('{user}', user).replaceAll('{app}', app);

/** @param root pattern of the applications' directories, with `{user}` and `{app}` */
export async function frontParams(
  request: IncomingMessage,
  target: { readonly path: AppPath; readonly query: string },
  root: string,
): Promise<Map<string, string>> {
  const { user, app, prefix, rest } = target.path;
  const directory = applicationDirectory(root, target.path);
  const located = await locate(directory, rest);
  const params = new Map<string, string>();
  addHeaders(params, request);
  addConnection(params, request);
  params.set('MATCH_USHERD_USER', user);
  params.set('MATCH_USHERD_APP', app);
  params.set('DOCUMENT_ROOT', '/var/www/html');
  params.set('SCRIPT_FILENAME', located.scriptFilename);
  params.set('GATEWAY_INTERFACE', 'CGI/1.1');
  params.set('SERVER_PROTOCOL', `HTTP/${request.httpVersion}`);
  params.set('REQUEST_METHOD', request.method ?? 'GET');
  params.set('QUERY_STRING', target.query);
  params.set('REQUEST_URI', request.url ?? '/');
  params.set('SCRIPT_NAME', prefix + located.consumed);
  if (located.pathInfo !== '') params.set('PATH_INFO', located.pathInfo);
  return params;
}
