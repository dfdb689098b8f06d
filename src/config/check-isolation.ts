// What an isolated application may be shown: not the directories that the walls are there to hide.
import type { Finding } from '../errors.js';
import type { Config } from './config-types.js';
import type { KeyPath } from './key-path.js';

interface Complaint extends Omit<Finding, 'path'> {
  readonly at: KeyPath;
  readonly user?: string;
}

/** Whoever sees one of these sees others' applications, or what is usherd's own. */
const ALWAYS_HIDDEN = ['/home', '/root', '/srv', '/proc', '/dev', '/run', '/var'] as const;

const holds = (outer: string, inner: string): boolean =>
  outer === inner || inner.startsWith(`${outer}/`);

export function* checkIsolation({ isolation, apps, paths }: Config): Iterable<Complaint> {
  const roots = apps.roots.map((root) => root.slice(0, root.indexOf('/{')));
  const own = Object.values(paths);
  for (const [index, path] of isolation.visible.entries()) {
    const shown = [...ALWAYS_HIDDEN, ...roots, ...own].find((hidden) => holds(path, hidden));
    const isOwn = own.some((directory) => holds(directory, path));
    if (shown === undefined && !isOwn) continue;
    yield {
      at: ['isolation', 'visible', index],
      rule: 'config-visible',
      found: `${path}, with all of ${shown ?? path} in it`,
      expected: 'paths that hold nothing of other users, and nothing of usherd’s',
      remedy: 'name what is needed itself, such as /run/redis/redis.sock',
    };
  }
}
