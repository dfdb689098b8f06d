// What a request target says: whose application, and the rest of the path. Text in, text out; latin1 strings stand for bytes.

/** The decoded path of `/~USER/apps/APP/...`. */
export interface AppPath {
  readonly user: string;
  readonly app: string;
  /** `/~USER/apps/APP`. */
  readonly prefix: string;
  /** What follows the prefix, decoded: '' or starting with '/'. */
  readonly rest: string;
}

export type PathResult =
  | { readonly kind: 'app'; readonly path: AppPath; readonly query: string }
  | { readonly kind: 'listing' }
  | { readonly kind: 'refused'; readonly status: 400 | 404 };

// The names are checked by the router; here only the form decides, as in the web server's AliasMatch.
const APP_PATH = /^(\/~([a-z_][a-z0-9_-]*)\/apps\/([A-Za-z0-9._-]+))(\/.*)?$/s;
const ESCAPE = /%([0-9A-Fa-f]{2})/g;
const BROKEN_ESCAPE = /%(?![0-9A-Fa-f]{2})/;

/** Removes empty, `.` and `..` segments as web servers do. @returns undefined above the top */
function normalize(path: string): string | undefined {
  const kept: string[] = [];
  const segments = path.split('/').slice(1);
  for (const segment of segments) {
    if (segment === '..' && kept.pop() === undefined) return undefined;
    if (segment !== '' && segment !== '.' && segment !== '..') kept.push(segment);
  }
  const last = segments.at(-1) ?? '';
  const isDirectory = kept.length > 0 && (last === '' || last === '.' || last === '..');
  return `/${kept.join('/')}${isDirectory ? '/' : ''}`;
}

type Decoded = { readonly path: string } | { readonly status: 400 | 404 };

function decode(raw: string): Decoded {
  if (!raw.startsWith('/') || BROKEN_ESCAPE.test(raw)) return { status: 400 };
  // Apache's default too: an encoded slash would be a separator in the file system but not in the URL.
  if (/%(2f|00)/i.test(raw)) return { status: 404 };
  const bytes = raw.replace(ESCAPE, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  const path = normalize(bytes);
  return path === undefined ? { status: 400 } : { path };
}

/** Sorts a request target (`/path?query`, as it stands in the request line). */
export function parseTarget(target: string): PathResult {
  const cut = target.indexOf('?');
  const decoded = decode(cut === -1 ? target : target.slice(0, cut));
  if ('status' in decoded) return { kind: 'refused', status: decoded.status };
  if (decoded.path === '/') return { kind: 'listing' };
  const match = APP_PATH.exec(decoded.path);
  if (match === null) return { kind: 'refused', status: 404 };
  const [, prefix = '', user = '', app = '', rest = ''] = match;
  const query = cut === -1 ? '' : target.slice(cut + 1);
  return { kind: 'app', path: { user, app, prefix, rest }, query };
}
