// The words that put a program behind walls of its own with bubblewrap: what it sees, what it may write, and nothing else. Pure.
//
// They are for a launcher that is the user already; root runs none of it. What is not named here does not exist inside:
// an allow-list, so that a directory nobody thought of is hidden and not shown.
import { posix } from 'node:path';

export interface Walls {
  /** The application's own directory. */
  readonly directory: string;
  /** Private ones of this application: bound for writing. */
  readonly folders: readonly string[];
  /** One of the folders, which is /tmp and /var/tmp inside. */
  readonly temporaryDirectory: string;
  readonly home: { readonly path: string; readonly isShown: boolean };
  /** Read-only, beside the system's own. */
  readonly visible: readonly string[];
  /** Directories that nobody may see, wherever they lie. */
  readonly hidden: readonly string[];
  /** Whether a path of root's exists: what is not there needs no word. */
  readonly isThere: (path: string) => boolean;
}

/** Programs, libraries, configuration, time zones, certificates. Those that a machine does not have are passed over. */
const SYSTEM = [
  ...['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32', '/etc', '/opt'],
  ...['/var/lib/gems', '/var/lib/ca-certificates', '/var/cache/fontconfig'],
  '/sys/devices/system/cpu', // how many processors there are
] as const;

/** Sockets and files of /run by which a program finds names, accounts, its database and the system's log. */
export const SERVICES = [
  ...['/run/systemd/resolve', '/run/systemd/userdb', '/run/NetworkManager/resolv.conf'],
  ...['/run/resolvconf', '/run/nscd', '/run/nslcd', '/var/lib/sss/pipes', '/var/lib/sss/mc'],
  ...['/run/mysqld', '/run/mariadb', '/run/postgresql', '/run/redis', '/run/memcached'],
  '/run/systemd/journal/dev-log',
] as const;

const NAMESPACES = [
  ...['--unshare-user', '--unshare-pid', '--unshare-ipc'],
  // bubblewrap's own processes end with the supervisor, and what is inside with them.
  '--die-with-parent',
] as const;

/** What is behind walls is another one, or would be shown whole. */
const NO_HOMES = ['/dev', '/proc', '/sys', '/tmp', '/var/tmp'] as const;

/** Shown as it is, such a home would take walls down: `/` is one that passwd(5) has for many accounts. */
export function isWiderThanWalls(home: string, hidden: readonly string[]): boolean {
  const path = `${posix.normalize(home)}/`.replace(/\/+$/, '/');
  return [...hidden, ...NO_HOMES].some((other) => `${other}/`.startsWith(path));
}

const isBelow = (path: string, above: string): boolean => path.startsWith(`${above}/`);

const readOnly = (path: string): readonly string[] => ['--ro-bind-try', path, path];
const writable = (path: string): readonly string[] => ['--bind', path, path];

/** What lies in a part of the system that is shown, outermost first; the rest is not there anyway. */
function covered({ hidden, isThere }: Walls): readonly string[] {
  const inSight = hidden.filter(
    (path) =>
      [...SYSTEM, ...SERVICES].some((shown) => path === shown || isBelow(path, shown)) &&
      isThere(path),
  );
  return [...new Set(inSight)].sort().flatMap((path) => ['--tmpfs', path]);
}

/**
 * The words after the name of bubblewrap, up to the program. Later ones lie on top of earlier ones, and /tmp comes before
 * what may lie in it.
 */
export function wallsArgv(walls: Walls): readonly string[] {
  const { directory, folders, temporaryDirectory, home, visible, isThere } = walls;
  const shown = [...SYSTEM, ...SERVICES].filter(isThere);
  return [
    ...NAMESPACES,
    ...shown.flatMap(readOnly),
    ...covered(walls),
    ...['--proc', '/proc', '--dev', '/dev', '--ro-bind-try', '/dev/log', '/dev/log'],
    ...['/tmp', '/var/tmp'].flatMap((path) => ['--bind', temporaryDirectory, path]),
    ...visible.flatMap(readOnly),
    ...(home.isShown ? writable(home.path) : ['--dir', home.path]),
    ...folders.flatMap(writable),
    ...writable(directory),
    ...['--remount-ro', '/', '--chdir', directory],
  ];
}
