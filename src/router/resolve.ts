// From params to application: the only place that decides whose a request is.
import type { ErrorCode } from '../errors.js';
import { placeOf, type Params, type Place } from './front-forms.js';
import type { RootMatch, Roots } from './roots.js';
import { HIDDEN_SEPARATOR, isSoundPath, splitUrl, type MountedUrl } from './url-path.js';

export type { Params } from './front-forms.js';
export { Roots } from './roots.js';

export interface Resolved {
  readonly ok: true;
  readonly user: string;
  /** `user/app`. */
  readonly app: string;
  readonly directory: string;
  /** Below the directory, path info included: '' or a path that starts with '/'. */
  readonly rest: string;
  /** The same as seen from `public/`, should that be the web root. */
  readonly publicRest: string;
  readonly url: MountedUrl;
}

interface Refusal {
  readonly ok: false;
  readonly code: ErrorCode;
  readonly detail: string;
}

export type Resolution = Resolved | Refusal;

/** The web root of applications that have one of their own (facts.webRoot). */
const PUBLIC = '/public';

/** `rest` as seen from `public/`; the same where it does not lie there. */
const belowPublic = (rest: string): string =>
  rest === PUBLIC || rest.startsWith(`${PUBLIC}/`) ? rest.slice(PUBLIC.length) : rest;

/**
 * A web server that knows of `public/` puts it into the path and not into the URL. One that does not (HAProxy, Caddy) has it
 * in both, if the client wrote it: there it is a name like any other. A mount whose own name ends in `/public` looks the
 * same, but for the document root.
 */
function seenFromPublic(url: string, params: Params, { directory, rest }: RootMatch): string {
  const own = directory + PUBLIC;
  const isKnown =
    params.get('CONTEXT_DOCUMENT_ROOT') === own || params.get('DOCUMENT_ROOT') === own;
  return !isKnown && splitUrl(url, rest) !== undefined ? rest : belowPublic(rest);
}

const splitEither = (url: string, rest: string, inside: string): MountedUrl | undefined =>
  splitUrl(url, rest) ?? splitUrl(url, inside);

/**
 * SCRIPT_NAME as Apache cuts it holds one component too many or none at all; the application's own path at the end
 * of the URL gives the mount. Where the web server maps names (`/x/…` to `sub/…`), there is no mount: the path is the truth.
 */
function mountUrl({ url, askedUrl }: Place, rest: string): MountedUrl {
  const inside = belowPublic(rest);
  const asked = askedUrl === undefined ? undefined : splitEither(askedUrl, rest, inside);
  const mounted = asked ?? splitEither(url, rest, inside);
  return mounted ?? { scriptName: '', path: inside === '' ? '/' : inside };
}

const refuse = (code: ErrorCode, detail: string): Refusal => ({ ok: false, code, detail });

/** Details name the rule, never a value: what a client sent does not belong into a log unescaped. */
export function resolveApplication(params: Params, roots: Roots): Resolution {
  const place = placeOf(params, roots);
  // Escapes that are left after decoding were escaped twice: somebody behind us might undo them.
  if (place === undefined || HIDDEN_SEPARATOR.test(place.path)) {
    return refuse('E_PATH_REFUSED', 'the path can be read in more than one way');
  }
  if (!isSoundPath(place.path)) {
    return refuse('E_PATH_REFUSED', 'the path is relative, climbs, or has control bytes');
  }
  const verdict = roots.judge(place.path);
  if (verdict === 'outside') return refuse('E_PATH_REFUSED', 'the path is below no root');
  if (verdict === 'below') {
    return refuse('E_APP_UNKNOWN', 'the path names no user and application that could exist');
  }
  const publicRest = seenFromPublic(place.askedUrl ?? place.url, params, verdict);
  const { user, app, directory, rest } = verdict;
  return { ok: true, user, app, directory, rest, publicRest, url: mountUrl(place, rest) };
}
