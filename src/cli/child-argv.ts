// How `usherd run` starts its two children: setpriv(1) takes everything away that they do not need, then node begins.
import { nodeFlags, type ServiceName } from './node-flags.js';

export interface Program {
  /** Absolute path of node. */
  readonly node: string;
  /** Absolute path of main.js. */
  readonly main: string;
  /** Absolute path of the configuration; undefined for the default one. */
  readonly config: string | undefined;
}

/** The ids that the children get; integers only, so that setpriv looks nothing up. */
export interface Ids {
  readonly routerUid: number;
  readonly routerGid: number;
  /** Of the front sockets: the router binds for them, the supervisor looks at restart markers with them. */
  readonly frontGids: readonly number[];
}

export interface Setpriv {
  readonly path: string;
  /** From util-linux 2.33: children get SIGTERM when `usherd run` dies without a chance to say so. */
  readonly knowsParentDeathSignal: boolean;
}

const ALL_IDS_MAX = 2 ** 31 - 2;

/**
 * The command line of one child. Without ids everything stays with the current user, and setpriv, if there is one,
 * has only the signal to set.
 */
export function childArgv(
  service: ServiceName,
  program: Program,
  { setpriv, ids }: { readonly setpriv: Setpriv | undefined; readonly ids: Ids | undefined },
): readonly string[] {
  const drop = ids === undefined ? [] : dropOptions(service, ids);
  const signal = setpriv?.knowsParentDeathSignal === true ? ['--pdeathsig=TERM'] : [];
  const options = [...drop, ...signal];
  const chain =
    setpriv === undefined || options.length === 0 ? [] : [setpriv.path, ...options, '--'];
  const config = program.config === undefined ? [] : ['--config', program.config];
  return [...chain, program.node, ...nodeFlags(service), program.main, service, ...config];
}

/** Root stays root in the supervisor, but with five capabilities; the router keeps nothing. */
function dropOptions(service: ServiceName, ids: Ids): readonly string[] {
  const { routerUid, routerGid, frontGids } = ids;
  if (service === 'supervisor') {
    return [
      '--bounding-set=-all,+setuid,+setgid,+setpcap,+kill,+chown',
      '--inh-caps=-all',
      groups([routerGid, ...frontGids]),
    ];
  }
  return [
    `--reuid=${id(routerUid)}`,
    `--regid=${id(routerGid)}`,
    groups(frontGids),
    '--inh-caps=-all',
    '--bounding-set=-all',
    '--no-new-privs',
  ];
}

const groups = (gids: readonly number[]): string =>
  gids.length === 0 ? '--clear-groups' : `--groups=${[...new Set(gids)].map(id).join(',')}`;

/** setpriv wraps large numbers around to 0, so none may reach it. */
function id(value: number): string {
  if (!Number.isSafeInteger(value) || value < 1 || value > ALL_IDS_MAX) {
    throw new RangeError(`${value} is no uid or gid to drop to`);
  }
  return String(value);
}
