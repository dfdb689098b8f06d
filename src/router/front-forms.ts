// What a web server meant: the file path and the URL behind the many ways in which the params say them.
import type { Params } from '../fcgi-protocol/index.js';
import type { Roots } from './roots.js';
import {
  commonTail,
  HIDDEN_SEPARATOR,
  isSoundPath,
  removeDotSegments,
  squeezeSlashes,
  unescapePath,
} from './url-path.js';

export type { Params };

/** Both decoded and with single slashes; `path` holds the path info and is not yet judged. */
export interface Place {
  readonly path: string;
  readonly url: string;
  /** What the client asked for, where lighttpd has rewritten it: SCRIPT_NAME is then of the rewritten URL. */
  readonly askedUrl?: string | undefined;
}

// `proxy:fcgi://host:9000/srv/…`, also `//srv/…`, also with `[::1]:9`: mod_proxy_fcgi without ProxyFCGIBackendType GENERIC.
const PROXY_FORM = /^proxy:(?:fcgi|balancer):\/\/[^/]*/;

const param = (params: Params, name: string): string => params.get(name) ?? '';

const filePath = (params: Params): string => {
  const file = param(params, 'SCRIPT_FILENAME');
  return file.startsWith('proxy:') ? file.replace(PROXY_FORM, '') : file;
};

const rawRequestPath = (params: Params): string => {
  const uri = param(params, 'REQUEST_URI');
  const query = uri.indexOf('?');
  return query === -1 ? uri : uri.slice(0, query);
};

/** Path of REQUEST_URI, decoded, with dot segments resolved as every web server does it; undefined where it is missing or broken. */
export function requestPath(params: Params): string | undefined {
  const plain = unescapePath(rawRequestPath(params));
  if (plain?.startsWith('/') !== true) return undefined;
  const resolved = removeDotSegments(squeezeSlashes(plain));
  return isSoundPath(resolved) ? resolved : undefined;
}

/**
 * ProxyPass and RewriteRule [P] leave the path percent-encoded, every other form does not. The URL, which is always
 * decoded, tells which it was; where it does not, the encoded REQUEST_URI does; else a `%` is a `%`.
 */
function isEncoded(file: string, url: string, params: Params): boolean {
  const plain = unescapePath(file);
  if (plain === undefined) return false;
  const asItIs = commonTail(file, url);
  const asDecoded = commonTail(plain, url);
  if (asItIs !== asDecoded) return asDecoded > asItIs;
  const lastEscape = file.slice(file.lastIndexOf('%'));
  const neededCount = lastEscape.split('/').length;
  return commonTail(file, squeezeSlashes(rawRequestPath(params))) >= neededCount;
}

/** The file name with its escapes undone if it has any; undefined where a hidden `.` or `/` makes it ambiguous. */
function plainFile(file: string, url: string, params: Params): string | undefined {
  if (!file.includes('%')) return file;
  if (HIDDEN_SEPARATOR.test(file)) return undefined;
  return isEncoded(file, url, params) ? unescapePath(file) : file;
}

/**
 * Whether SCRIPT_FILENAME already ends in PATH_INFO (`proxy-fcgi-pathinfo`, some nginx configurations). `/x/y` + `/y` may
 * also be the URL `/x/y/y`: the file name then agrees better with SCRIPT_NAME than with the whole URL.
 */
function holdsPathInfo(file: string, pathInfo: string, scriptName: string, roots: Roots): boolean {
  if (file === pathInfo) return true;
  const rest = roots.match(file)?.rest ?? '';
  if (!rest.endsWith(pathInfo)) return false;
  return commonTail(file, scriptName + pathInfo) > commonTail(file, scriptName);
}

/** The same, where the file name is still encoded and PATH_INFO is not: it agrees with SCRIPT_NAME in nothing then. */
function isWhole({ file, scriptName, pathInfo }: Said, params: Params, roots: Roots): boolean {
  if (holdsPathInfo(file, pathInfo, scriptName, roots)) return true;
  if (!file.includes('%') || commonTail(file, scriptName) > 0) return false;
  const plain = plainFile(file, scriptName + pathInfo, params);
  return plain !== undefined && holdsPathInfo(plain, pathInfo, scriptName, roots);
}

/** mod_actions: SCRIPT_NAME is the handler, PATH_INFO the whole URL, PATH_TRANSLATED the file. */
function isAction(params: Params, pathInfo: string, asked: string | undefined): boolean {
  return params.has('REDIRECT_HANDLER') && params.has('PATH_TRANSLATED') && pathInfo === asked;
}

/**
 * What the client asked for, without dot segments, where SCRIPT_NAME cannot say it: lighttpd has rewritten it (REDIRECT_URI
 * comes from lighttpd only; Apache's REDIRECT_URL is about something else), Caddy drops the slash that `/x/y/..` ends in.
 */
function rewrittenUrl({ asked }: Said, params: Params, url: string): string | undefined {
  return params.has('REDIRECT_URI') || asked === `${url}/` ? asked : undefined;
}

/**
 * The query as the client wrote it. lighttpd undoes escapes in QUERY_STRING, makes new ones, and drops what is before a
 * second `?`; where REQUEST_URI says the same it is the original. A query that the web server made itself stays.
 */
export function queryString(params: Params): string {
  const told = param(params, 'QUERY_STRING');
  const uri = param(params, 'REQUEST_URI');
  const start = uri.indexOf('?');
  if (start === -1) return told;
  const asked = uri.slice(start + 1);
  if (asked === told || asked.endsWith(`?${told}`)) return asked;
  const plain = unescapePath(asked);
  return plain !== undefined && plain === unescapePath(told) ? asked : told;
}

/** A mount without a file name: the document root with the URL behind it. */
function belowDocumentRoot(params: Params, url: string): Place {
  const prefix = param(params, 'CONTEXT_PREFIX');
  const contextRoot = param(params, 'CONTEXT_DOCUMENT_ROOT');
  const isInContext = url === prefix || url.startsWith(`${prefix}/`);
  if (contextRoot !== '' && isInContext) {
    return { path: squeezeSlashes(contextRoot + url.slice(prefix.length)), url };
  }
  return { path: squeezeSlashes(param(params, 'DOCUMENT_ROOT') + url), url };
}

/** The params that name a place, with single slashes; '' where they were not sent. */
interface Said {
  readonly file: string;
  readonly scriptName: string;
  readonly pathInfo: string;
  /** Path of REQUEST_URI. */
  readonly asked: string | undefined;
}

/** Undefined where the escapes of the file name hide something. */
function fromFile(said: Said, params: Params, roots: Roots): Place | undefined {
  const { file, scriptName, pathInfo, asked } = said;
  if (pathInfo !== '' && !isWhole(said, params, roots)) {
    const plain = plainFile(file, scriptName, params);
    return plain === undefined
      ? undefined
      : { path: squeezeSlashes(plain + pathInfo), url: squeezeSlashes(scriptName + pathInfo) };
  }
  // Without path info SCRIPT_NAME is the whole URL; where the file name holds it, SCRIPT_NAME may be anything.
  const url = pathInfo === '' && scriptName !== '' ? scriptName : (asked ?? scriptName + pathInfo);
  const plain = plainFile(file, url, params);
  if (plain === undefined) return undefined;
  return { path: squeezeSlashes(plain), url, askedUrl: rewrittenUrl(said, params, url) };
}

/** Undefined where the params can be read in more than one way. */
export function placeOf(params: Params, roots: Roots): Place | undefined {
  const said = {
    file: squeezeSlashes(filePath(params)),
    scriptName: squeezeSlashes(param(params, 'SCRIPT_NAME')),
    pathInfo: squeezeSlashes(param(params, 'PATH_INFO')),
    asked: requestPath(params),
  };
  if (said.pathInfo !== '' && !said.pathInfo.startsWith('/')) return undefined;
  if (said.file === '') {
    const named = squeezeSlashes(said.scriptName + said.pathInfo);
    return belowDocumentRoot(params, named === '' ? (said.asked ?? '/') : named);
  }
  if (isAction(params, said.pathInfo, said.asked)) {
    return { path: squeezeSlashes(param(params, 'PATH_TRANSLATED')), url: said.pathInfo };
  }
  return fromFile(said, params, roots);
}
