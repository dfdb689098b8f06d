// Paths as text: squeezing, judging, unescaping and comparing them, byte for byte (latin1).

/** Bytes that no path may have, and components that would climb. */
const UNSOUND = /[\x00-\x1f\x7f]|(?:^|\/)\.{1,2}(?:\/|$)/;
const ESCAPE = /%([0-9A-Fa-f]{2})/g;
const BROKEN_ESCAPE = /%(?![0-9A-Fa-f]{2})/;
/** A slash or a dot that somebody hid: what it means depends on who unescapes, so it means nothing here. */
export const HIDDEN_SEPARATOR = /%2[ef]/i;

/** Absolute, without control bytes and without `.` and `..` components. */
export const isSoundPath = (path: string): boolean => path.startsWith('/') && !UNSOUND.test(path);

export const squeezeSlashes = (path: string): string =>
  path.includes('//') ? path.replace(/\/{2,}/g, '/') : path;

/** RFC 3986 §5.2.4, for a path with single slashes. */
export function removeDotSegments(path: string): string {
  if (path.startsWith('/') && !path.includes('/.')) return path;
  const kept: string[] = [];
  for (const component of path.split('/').slice(1)) {
    if (component === '..') kept.pop();
    else if (component !== '.') kept.push(component);
  }
  const isDirectory = /\/\.{1,2}$/.test(path) && kept.length > 0;
  return `/${kept.join('/')}${isDirectory ? '/' : ''}`;
}

/** Bytes stay bytes: `%C3%A9` gives two latin1 characters. Undefined if an escape is broken. */
export function unescapePath(path: string): string | undefined {
  if (!path.includes('%')) return path;
  if (BROKEN_ESCAPE.test(path)) return undefined;
  return path.replace(ESCAPE, (_match, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

const withoutLastSlash = (path: string): string => (path.endsWith('/') ? path.slice(0, -1) : path);

/** How many components, counted from the end, two paths have in common. */
export function commonTail(one: string, other: string): number {
  const left = withoutLastSlash(one).split('/');
  const right = withoutLastSlash(other).split('/');
  let count = 0;
  while (count < left.length && count < right.length) {
    const component = left[left.length - 1 - count];
    if (component === '' || component !== right[right.length - 1 - count]) break;
    count += 1;
  }
  return count;
}

export interface MountedUrl {
  /** URL at which the application is mounted: '' at the root of a host, else `/x`. */
  readonly scriptName: string;
  /** What follows it: '' or a path that starts with '/'. */
  readonly path: string;
}

/**
 * Cuts a URL where the application begins, if it ends in the application's own path. A slash at the end is the
 * URL's: Apache adds one to the file name of a directory whether or not the URL had one.
 */
export function splitUrl(url: string, rest: string): MountedUrl | undefined {
  const bareUrl = withoutLastSlash(url);
  const bareRest = withoutLastSlash(rest);
  if (!bareUrl.endsWith(bareRest)) return undefined;
  return {
    scriptName: bareUrl.slice(0, bareUrl.length - bareRest.length),
    path: url.endsWith('/') ? `${bareRest}/` : bareRest,
  };
}
