// Where an application's workers keep what nobody else may see: below a directory that the supervisor made for their user.
import type { Config } from '../config/index.js';

export interface PrivateFolders {
  /** The user's own; the supervisor makes it, the launcher makes the others. */
  readonly private: string;
  /** Of all his applications, but those that are isolated have one each: TMPDIR. */
  readonly temporary: string;
  /** Of this application alone, so that its clean-up throws away nobody else's. */
  readonly sessions: string;
  readonly opcodes: string;
}

/** Of `user/app`. */
export function privateFolders(
  config: Config,
  uid: number,
  { app, isIsolated }: { readonly app: string; readonly isIsolated: boolean },
): PrivateFolders {
  const own = `${config.usersDirectory}/${uid}`;
  const name = app.slice(app.indexOf('/') + 1);
  return {
    private: own,
    temporary: isIsolated ? `${own}/isolated/${name}` : `${own}/tmp`,
    sessions: `${own}/sessions/${name}`,
    opcodes: `${own}/opcodes/${name}`,
  };
}

/** The user's part of the root that the application lies below, such as /srv/alice; the application itself if there is none. */
export function userDirectory(roots: readonly string[], user: string, directory: string): string {
  const path = directory.split('/');
  for (const root of roots) {
    const pattern = root.split('/');
    const end = pattern.indexOf('{user}');
    const isFixed = pattern.slice(0, end).every((name, index) => name === path[index]);
    if (end > 0 && isFixed && path[end] === user) return path.slice(0, end + 1).join('/');
  }
  return directory;
}
