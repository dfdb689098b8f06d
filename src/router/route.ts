// From an application whose facts are known to the params that its worker gets.
import type { ErrorCode } from '../errors.js';
import type { AppFacts } from '../ipc/index.js';
import { queryString, requestPath, type Params } from './front-forms.js';
import { cleanParams } from './params-filter.js';
import type { Resolved } from './resolve.js';
import { findScript, runtimeOfScript, type RuntimeTable, type ScriptPlace } from './script.js';
import { isSoundPath, splitUrl, type MountedUrl } from './url-path.js';

export type Route =
  | {
      readonly ok: true;
      /** '' for the application's default. */
      readonly runtime: string;
      readonly params: Params;
    }
  | { readonly ok: false; readonly code: ErrorCode; readonly detail: string };

/** Runtime of the script that the URL names, '' if it names none. */
export const wantedRuntime = (resolution: Resolved, scripts: ReadonlyMap<string, string>): string =>
  findScript(resolution.rest, scripts)?.runtime ?? '';

/** The one whose pool takes the request: the application's own where the URL names no script. */
export function poolRuntime({ rest }: Resolved, facts: AppFacts, runtimes: RuntimeTable): string {
  const { defaultRuntime: own, frontController } = facts;
  const controller = runtimes.entries.has(own) ? '' : `/${frontController.replace(/^\/+/, '')}`;
  const place = findScript(rest, runtimes.scripts) ?? findScript(controller, runtimes.scripts);
  return place === undefined ? own : runtimeOfScript(place, own, runtimes);
}

// `.env`, `.git/…`: never, except for what RFC 8615 puts there.
const HIDDEN = /\/\.(?!well-known(?:\/|$))/;
const MANIFEST = /^\/usherd\.toml(?:\/|$)/;
// What FallbackResource and try_files are pointed at: the page is then in REQUEST_URI only.
const ENTRY_FILE = /^\/(?:index|app|dispatch|server|wsgi|asgi|passenger_wsgi|config)\.[a-z]+$/;

const missing = (detail: string): Route => ({ ok: false, code: 'E_SCRIPT_MISSING', detail });

interface View {
  /** Directory that URLs of the application see. */
  readonly webRoot: string;
  /** The resolution's rest as seen from the web root. */
  readonly rest: string;
  readonly url: MountedUrl;
}

function viewOf(resolution: Resolved, facts: AppFacts): View {
  const { directory, rest, publicRest, url } = resolution;
  if (facts.webRoot === '') return { webRoot: directory, rest, url };
  return {
    webRoot: `${directory}/${facts.webRoot}`,
    rest: publicRest,
    url: splitUrl(url.scriptName + url.path, publicRest) ?? url,
  };
}

interface Names {
  readonly scriptName: string;
  readonly pathInfo: string | undefined;
  readonly scriptFilename: string;
  readonly webRoot: string;
}

/**
 * PATH_TRANSLATED never reaches a worker: php-cgi with cgi.fix_pathinfo=0 runs the file that it names
 * instead of SCRIPT_FILENAME, and its tail is the client's.
 */
function workerParams(params: Params, names: Names): Params {
  const clean = cleanParams(params);
  clean.delete('PATH_TRANSLATED');
  clean.set('SCRIPT_FILENAME', names.scriptFilename);
  clean.set('SCRIPT_NAME', names.scriptName);
  clean.set('DOCUMENT_ROOT', names.webRoot);
  if (names.pathInfo === undefined) clean.delete('PATH_INFO');
  else clean.set('PATH_INFO', names.pathInfo);
  if (clean.has('DOCUMENT_URI')) {
    clean.set('DOCUMENT_URI', names.scriptName + (names.pathInfo ?? ''));
  }
  clean.set('QUERY_STRING', queryString(params)); // HAProxy sends none; RFC 3875 §4.1.7 wants it empty
  if (!clean.has('REDIRECT_STATUS')) clean.set('REDIRECT_STATUS', '200');
  if (!clean.has('GATEWAY_INTERFACE')) clean.set('GATEWAY_INTERFACE', 'CGI/1.1');
  return clean;
}

/**
 * A script exists or not for the worker to say; here it only has to lie where scripts may. A web server that does not
 * know of public/ names the script beside it: it is looked for in the web root, and nowhere else.
 */
function routeScript(
  params: Params,
  resolution: Resolved,
  view: View,
  place: Pick<ScriptPlace, 'end' | 'runtime'>,
): Route {
  if (HIDDEN.test(resolution.rest.slice(0, place.end))) return missing('hidden files are not run');
  const pathInfo = resolution.rest.slice(place.end);
  const script = view.rest.slice(0, view.rest.length - pathInfo.length);
  const names = {
    scriptName: view.url.scriptName + script,
    pathInfo: pathInfo === '' ? undefined : pathInfo,
    scriptFilename: view.webRoot + script,
    webRoot: view.webRoot,
  };
  return { ok: true, runtime: place.runtime, params: workerParams(params, names) };
}

/** The web root itself has no path info, as with DirectoryIndex. */
function routeFrontController(
  params: Params,
  resolution: Resolved,
  view: View,
  target: { readonly script: string; readonly runtime: string },
): Route {
  const { rest } = resolution;
  if (HIDDEN.test(rest) || MANIFEST.test(rest)) return missing('hidden files are not served');
  if (!isSoundPath(target.script)) return missing('the front controller is no path');
  const { path } = view.url;
  const names = {
    scriptName: view.url.scriptName + target.script,
    pathInfo: path === '' || path === '/' ? undefined : path,
    scriptFilename: view.webRoot + target.script,
    webRoot: view.webRoot,
  };
  return { ok: true, runtime: target.runtime, params: workerParams(params, names) };
}

/** What the program is told as its URL; every URL below the mount is the program's own. */
function entryPath(params: Params, url: MountedUrl): string {
  if (!ENTRY_FILE.test(url.path)) return url.path;
  const asked = requestPath(params);
  const isInMount = asked?.startsWith(`${url.scriptName}/`) === true;
  return isInMount ? asked.slice(url.scriptName.length) : url.path;
}

function routeEntry(params: Params, resolution: Resolved, view: View): Route {
  const names = {
    scriptName: view.url.scriptName,
    pathInfo: entryPath(params, view.url),
    scriptFilename: resolution.directory,
    webRoot: view.webRoot,
  };
  return { ok: true, runtime: '', params: workerParams(params, names) };
}

/**
 * Decides which runtime takes the request and what it is told. `params` stay as they are.
 * @throws UsherdError E_PARAMS_MALFORMED as cleanParams does.
 */
export function routeRequest(
  params: Params,
  resolution: Resolved,
  facts: AppFacts,
  runtimes: RuntimeTable,
): Route {
  const view = viewOf(resolution, facts);
  const place = findScript(resolution.rest, runtimes.scripts);
  if (place !== undefined) {
    const runtime = runtimeOfScript(place, facts.defaultRuntime, runtimes);
    return routeScript(params, resolution, view, { end: place.end, runtime });
  }
  if (runtimes.entries.has(facts.defaultRuntime)) return routeEntry(params, resolution, view);
  const controller = facts.frontController.replace(/^\/+/, '');
  if (controller === '') return missing('the URL names no script and there is no front controller');
  const script = `/${controller}`;
  const found = findScript(script, runtimes.scripts);
  const runtime =
    found === undefined
      ? facts.defaultRuntime
      : runtimeOfScript(found, facts.defaultRuntime, runtimes);
  return routeFrontController(params, resolution, view, { script, runtime });
}
