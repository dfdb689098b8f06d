// Where applications live: the configured patterns, compiled once, compared per path component and never as text.
import { UsherdError } from '../errors.js';
import { APP_NAME, USER_NAME } from '../ipc/index.js';

export interface RootMatch {
  readonly user: string;
  /** `user/app`. */
  readonly app: string;
  readonly directory: string;
  /** What follows the directory: '' or a path that starts with '/'. */
  readonly rest: string;
}

/** `below`: the path lies under a root, but its user or application is no name that can exist. */
export type RootVerdict = RootMatch | 'below' | 'outside';

const USER = '{user}';
const APP = '{app}';

interface Root {
  readonly components: readonly string[];
  /** Index of the first placeholder: nothing above it belongs to anybody. */
  readonly fixedCount: number;
}

const isPlaceholder = (component: string): boolean => component === USER || component === APP;

function compile(pattern: string): Root {
  const components = pattern.split('/').slice(1);
  const occurrences = (name: string): number => components.filter((c) => c === name).length;
  const isSound =
    pattern.startsWith('/') &&
    occurrences(USER) === 1 &&
    occurrences(APP) === 1 &&
    components.every((c) => isPlaceholder(c) || /^(?!\.{1,2}$)[^{}\p{Cc}]+$/u.test(c));
  if (!isSound) {
    throw new UsherdError('E_CONFIG_INVALID', 'a root is absolute and has {user} and {app} once', {
      findings: [
        {
          rule: 'root-pattern',
          found: pattern,
          expected: 'an absolute path with {user} and {app} as whole components, each once',
          remedy: 'write it like /srv/{user}/apps/{app}',
        },
      ],
    });
  }
  return { components, fixedCount: components.findIndex(isPlaceholder) };
}

function compare(root: Root, path: string): RootVerdict {
  let user = '';
  let app = '';
  let areNamesSound = true;
  let end = 0;
  for (let index = 0; index < root.components.length; index += 1) {
    const component = root.components[index];
    const start = end + 1;
    if (start >= path.length) return index > root.fixedCount ? 'below' : 'outside';
    const slash = path.indexOf('/', start);
    end = slash === -1 ? path.length : slash;
    const name = path.slice(start, end);
    if (component === USER) {
      user = name;
      areNamesSound &&= USER_NAME.test(name);
    } else if (component === APP) {
      app = name;
      areNamesSound &&= APP_NAME.test(name);
    } else if (component !== name) {
      return 'outside';
    }
  }
  if (!areNamesSound) return 'below';
  return { user, app: `${user}/${app}`, directory: path.slice(0, end), rest: path.slice(end) };
}

/** Root's links from hosts to applications, as the supervisor tells them. */
export interface HostLinks {
  /** '' if there are none. */
  readonly directory: string;
  readonly targets: ReadonlyMap<string, string>;
}

const NO_LINKS: HostLinks = { directory: '', targets: new Map() };

export class Roots {
  readonly #roots: readonly Root[];
  readonly #links: HostLinks;

  /** @throws UsherdError E_CONFIG_INVALID for a pattern that could not name one application. */
  constructor(patterns: readonly string[], links = NO_LINKS) {
    this.#roots = patterns.map(compile);
    this.#links = links;
  }

  /**
   * The first root that fits decides. `path` is clean: absolute, no empty, `.` or `..` component. A link is followed once:
   * where it leads to is below a root, or nowhere.
   */
  judge(path: string): RootVerdict {
    const { directory, targets } = this.#links;
    if (directory === '' || !path.startsWith(`${directory}/`)) return this.#compare(path);
    const start = directory.length + 1;
    const slash = path.indexOf('/', start);
    const end = slash === -1 ? path.length : slash;
    const target = targets.get(path.slice(start, end));
    if (target === undefined) return 'below';
    const verdict = this.#compare(target + path.slice(end));
    return verdict === 'outside' ? 'below' : verdict;
  }

  #compare(path: string): RootVerdict {
    let isBelow = false;
    for (const root of this.#roots) {
      const verdict = compare(root, path);
      if (typeof verdict === 'object') return verdict;
      isBelow ||= verdict === 'below';
    }
    return isBelow ? 'below' : 'outside';
  }

  match(path: string): RootMatch | undefined {
    const verdict = this.judge(path);
    return typeof verdict === 'object' ? verdict : undefined;
  }
}
