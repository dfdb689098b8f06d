// What a URL means to the application that it leads to, decided by the router's own rules. Paths are bytes there, as latin1.
import type { Config } from '../config/index.js';
import type { ErrorCode } from '../errors.js';
import {
  findScript,
  resolveApplication,
  Roots,
  routeRequest,
  runtimeTable,
  unescapePath,
} from '../router/lean.js';
import type { Seen } from '../spawner/lean.js';

export interface AskedUrl {
  /** Where the application begins in it: '' at the root of a host, else `/~alice/apps/blog`. */
  readonly mount: string;
  /** What follows, as it is escaped in the URL and without its query. */
  readonly path: string;
}

export type Meaning =
  | {
      readonly ok: true;
      /** A file that the URL names, the one for all URLs that name none, or the one program of the application. */
      readonly kind: 'script' | 'front-controller' | 'program';
      readonly file: string;
      readonly pathInfo: string;
    }
  | { readonly ok: false; readonly code: ErrorCode; readonly detail: string };

const toBytes = (text: string): string => Buffer.from(text).toString('latin1');
const toText = (bytes: string): string => Buffer.from(bytes, 'latin1').toString();

/** Of the script that the URL names, '' if it names none. */
export function runtimeOfUrl({ runtimes }: Config, { path }: AskedUrl): string {
  return findScript(unescapePath(path) ?? '', runtimeTable(runtimes).scripts)?.runtime ?? '';
}

export function meaningOfUrl(
  { apps, runtimes }: Config,
  { mount, path }: AskedUrl,
  { input, blueprint }: Pick<Seen, 'input' | 'blueprint'>,
): Meaning {
  const plain = unescapePath(path);
  if (plain === undefined) {
    return { ok: false, code: 'E_PATH_REFUSED', detail: 'an escape in the URL is broken' };
  }
  const directory = toBytes(input.directory);
  // As a web server says it that knows nothing of applications: the whole path, and no path info.
  const params = new Map([
    ['SCRIPT_FILENAME', directory + plain],
    ['SCRIPT_NAME', mount + plain],
    ['REQUEST_URI', mount + path],
  ]);
  const resolution = resolveApplication(params, new Roots(apps.roots.map(toBytes)));
  if (!resolution.ok) return resolution;
  const table = runtimeTable(runtimes);
  const facts = { type: 'facts' as const, app: input.app, ...blueprint.facts };
  const route = routeRequest(params, resolution, facts, table);
  if (!route.ok) return route;
  const file = route.params.get('SCRIPT_FILENAME') ?? '';
  const controller = file === directory ? 'program' : 'front-controller';
  const isNamed = findScript(resolution.rest, table.scripts) !== undefined;
  return {
    ok: true,
    kind: isNamed ? 'script' : controller,
    file: toText(file),
    pathInfo: toText(route.params.get('PATH_INFO') ?? ''),
  };
}
