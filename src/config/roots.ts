// Root patterns such as /srv/{user}/apps/{app}: whether one is sound, and whether two could claim the same directory.

const USER = '{user}';
const APP = '{app}';

/** What is wrong with one pattern, in words; undefined if nothing is. */
export function rootPatternProblem(pattern: string): string | undefined {
  if (!pattern.startsWith('/')) return 'it is not absolute';
  const components = pattern.slice(1).split('/');
  if (components.some((name) => name === '' || name === '.' || name === '..')) {
    return 'it has an empty component, "." or ".."';
  }
  for (const placeholder of [USER, APP]) {
    const times = components.filter((name) => name === placeholder).length;
    if (times !== 1) return `it has ${placeholder} ${times} times as a whole component, not once`;
  }
  const literals = components.filter((name) => name !== USER && name !== APP);
  if (literals.some((name) => /[{}*?]/.test(name))) {
    return 'it has a brace or a wildcard outside of {user} and {app}';
  }
  // "/{user}/…" would make an account name out of "etc" and "proc".
  if (components[0] === USER || components[0] === APP) return 'it begins with a placeholder';
  return undefined;
}

/** Whether some directory matches one pattern and lies in, or is, a directory that matches the other. */
export function rootsOverlap(one: string, other: string): boolean {
  const left = one.split('/');
  const right = other.split('/');
  const shared = Math.min(left.length, right.length);
  return left.slice(0, shared).every((name, index) => couldBeEqual(name, right[index] ?? ''));
}

const couldBeEqual = (one: string, other: string): boolean =>
  one === other || isPlaceholder(one) || isPlaceholder(other);

const isPlaceholder = (name: string): boolean => name === USER || name === APP;

/** Where the user's own files are: the pattern up to {user}. */
export function userDirectory(pattern: string, user: string): string {
  const end = pattern.indexOf(USER);
  return pattern.slice(0, end) + user;
}

/** `/srv/alice/apps/blog` of the pattern, the user and the application. */
export const applicationDirectory = (pattern: string, user: string, app: string): string =>
  pattern.replace(USER, user).replace(APP, app);

/** `alice/blog`, if the directory is an application of one of the patterns, or its public/. */
export function applicationAt(patterns: readonly string[], directory: string): string | undefined {
  const path = directory.replace(/\/public$/, '').split('/');
  for (const pattern of patterns) {
    const names = pattern.split('/');
    const fits = (name: string, index: number): boolean =>
      isPlaceholder(name) ? (path[index] ?? '') !== '' : name === path[index];
    if (names.length !== path.length || !names.every(fits)) continue;
    return `${path[names.indexOf(USER)] ?? ''}/${path[names.indexOf(APP)] ?? ''}`;
  }
  return undefined;
}
