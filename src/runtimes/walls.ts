// What an isolated application is shown and what is hidden from it, as far as the configuration says it; pure.
import type { Config, Manifest } from '../config/index.js';
import { LIBEXEC_DIRECTORY } from './entry.js';

export interface BlueprintWalls {
  /** Read-only, beside the system's own. */
  readonly visible: readonly string[];
  readonly showsHome: boolean;
  /** Where others' applications and our own sockets, logs and states are. */
  readonly hidden: readonly string[];
}

/** `/srv` of `/srv/{user}/apps/{app}`: the last directory that all users have in common. */
const commonPart = (root: string): string => root.slice(0, root.indexOf('/{'));

/** Undefined if the application is not isolated. A manifest may ask for walls, and cannot take them down. */
export function wallsOf(
  { isolation, users, apps, paths, usersDirectory }: Config,
  user: string,
  manifest: Manifest | undefined,
): BlueprintWalls | undefined {
  const mode = users.get(user)?.isolation ?? isolation.mode;
  if (mode !== 'strict' && manifest?.isolation !== 'strict') return undefined;
  const { run, log, state } = paths;
  return {
    visible: [LIBEXEC_DIRECTORY, ...isolation.visible],
    showsHome: isolation.home,
    hidden: [...apps.roots.map(commonPart), run, log, state, usersDirectory, '/home', '/root'],
  };
}
