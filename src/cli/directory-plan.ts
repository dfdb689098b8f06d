// The run-time directories: who owns each and what its mode is. The same table as in docs/architecture.md.
import { dirname, join } from 'node:path';
import type { Config } from '../config/index.js';
import type { Ids } from './child-argv.js';

export interface PlannedDirectory {
  readonly path: string;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

const ROOT = 0;

/** Parents come before their children. */
export function planDirectories(config: Config, ids: Ids): readonly PlannedDirectory[] {
  const { run, log, state } = config.paths;
  const { routerUid, routerGid } = ids;
  return [
    { path: run, uid: ROOT, gid: ROOT, mode: 0o711 },
    // setgid: sockets bound in it belong to the router's group without any chown
    { path: join(run, 'worker'), uid: ROOT, gid: routerGid, mode: 0o2710 },
    // root's group, by which the supervisor reaches log.sock without a capability
    { path: join(run, 'router'), uid: routerUid, gid: ROOT, mode: 0o750 },
    ...frontDirectories(config).map((path) => frontDirectory(path, ids)),
    // The router makes the users' directories in it; the users go through to their own.
    { path: log, uid: ROOT, gid: routerGid, mode: 0o771 },
    { path: state, uid: ROOT, gid: ROOT, mode: 0o711 },
    // The supervisor makes the users' private directories in it; they go through to their own.
    { path: config.usersDirectory, uid: ROOT, gid: ROOT, mode: 0o711 },
    { path: join(state, 'spool'), uid: routerUid, gid: routerGid, mode: 0o700 },
  ];
}

/** As an ordinary user: the same directories, all ours and nobody else's. */
export function planOwnDirectories(
  config: Config,
  own: { readonly uid: number; readonly gid: number },
): readonly PlannedDirectory[] {
  const { run, log, state } = config.paths;
  const below = [join(run, 'worker'), join(run, 'router'), ...frontDirectories(config)];
  const paths = [run, ...below, log, state];
  paths.push(config.usersDirectory, join(state, 'spool'));
  return paths.map((path) => ({ path, ...own, mode: 0o700 }));
}

/** Those below the run directory; a socket elsewhere lies in a directory of the administrator's. */
function frontDirectories({ front, paths }: Config): readonly string[] {
  const directories = front.sockets.map(({ path }) => dirname(path));
  return [...new Set(directories)].filter((path) => path.startsWith(`${paths.run}/`));
}

/** Traversed, not listed. With several web server groups no single group can be let in, so everybody is. */
function frontDirectory(path: string, { routerUid, frontGids }: Ids): PlannedDirectory {
  const [gid = ROOT, ...others] = frontGids;
  return { path, uid: routerUid, gid, mode: others.length === 0 ? 0o2710 : 0o2711 };
}
