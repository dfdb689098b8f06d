// What no single key can be blamed for: rules between the keys of one file, and between users.
import type { Finding } from '../errors.js';
import { LIMITS } from '../limits.js';
import { checkIsolation } from './check-isolation.js';
import type { Config, RuntimeConfig, UserConfig } from './config-types.js';
import type { KeyPath } from './key-path.js';
import { mergeTables, userTables, type Layers } from './layers.js';
import { rootsOverlap } from './roots.js';

/** What the checks need to know of the files; `user` is set for what may also stand in users.d/NAME.toml. */
export interface Guide {
  /** `file:line` of a key. */
  place(key: KeyPath, user?: string): string;
  /** False where a key nearby was left out because of a mistake of its own. */
  isSound(key: KeyPath, user?: string): boolean;
}

/** A finding whose place is still a key. */
interface Complaint extends Omit<Finding, 'path'> {
  readonly at: KeyPath;
  readonly user?: string;
}

export interface Blame {
  readonly finding: Finding;
  /** Whose settings are to be mended; undefined: those of everybody. */
  readonly user: string | undefined;
}

/** Everything that is wrong between keys. `config` is what the layers make together. */
export function checkTogether(layers: Layers, config: Config, guide: Guide): readonly Blame[] {
  const complaints = [
    ...checkPaths(config),
    ...checkSockets(config),
    ...checkRoots(config.apps.roots),
    ...checkIdentity(config),
    ...checkIsolation(config),
    ...checkRuntimes(layers, config),
    ...checkUsers(layers, config),
  ];
  return complaints
    .filter(({ at, user }) => guide.isSound(at, user))
    .map(({ at, user, ...rest }) => ({ user, finding: { ...rest, path: guide.place(at, user) } }));
}

/** `/worker/` and the 16 hexadecimal digits of a worker's socket, with an end of its own. */
const SOCKET_BELOW_RUN_MAX_BYTES = 32;

function* checkPaths({ paths }: Config): Iterable<Complaint> {
  const runMaxBytes = LIMITS.socketPathMaxBytes - SOCKET_BELOW_RUN_MAX_BYTES;
  if (Buffer.byteLength(paths.run) > runMaxBytes) {
    yield {
      at: ['paths', 'run'],
      rule: 'config-path-length',
      found: `a path of ${Buffer.byteLength(paths.run)} bytes`,
      expected: `at most ${runMaxBytes} bytes, because the sockets below it may have ${LIMITS.socketPathMaxBytes} (unix(7))`,
      remedy: 'choose a shorter path',
    };
  }
  const seen = new Map<string, string>();
  for (const [name, path] of Object.entries(paths)) {
    const other = seen.get(path);
    seen.set(path, name);
    if (other === undefined) continue;
    yield {
      at: ['paths', name],
      rule: 'config-path-twice',
      found: `${name} and ${other} are both ${path}`,
      expected: 'three different directories',
      remedy: `choose another directory for ${name}`,
    };
  }
}

function* checkSockets(config: Config): Iterable<Complaint> {
  const { front } = config;
  if (front.sockets.length === 0) {
    yield {
      at: ['front', 'sockets'],
      rule: 'config-sockets-empty',
      found: 'an empty list',
      expected: 'at least one socket',
      remedy: 'name a socket, or delete the line for the default',
    };
  }
  const seen = new Set<string>();
  for (const [index, { path }] of front.sockets.entries()) {
    const at = ['front', 'sockets', index, 'path'];
    const length = Buffer.byteLength(path);
    if (length > LIMITS.socketPathMaxBytes) {
      yield {
        at,
        rule: 'config-path-length',
        found: `a socket path of ${length} bytes`,
        expected: `at most ${LIMITS.socketPathMaxBytes} bytes (unix(7))`,
        remedy: 'choose a shorter path',
      };
    }
    if (seen.has(path)) {
      yield {
        at,
        rule: 'config-socket-twice',
        found: `${path} a second time`,
        expected: 'one entry for each socket',
        remedy: 'delete one of the two',
      };
    }
    seen.add(path);
  }
  yield* checkAuthorizers(config);
}

/** mod_authnz_fcgi says nothing but the address: two applications could not be told apart. */
function* checkAuthorizers({ front }: Config): Iterable<Complaint> {
  const owners = new Map<string, string>();
  for (const [index, { host, port, application }] of front.authorizers.entries()) {
    const address = `${host} port ${port}`;
    const owner = owners.get(address);
    owners.set(address, application);
    if (owner === undefined) continue;
    yield {
      at: ['front', 'authorizers', index, 'address'],
      rule: 'config-address-twice',
      found: `${address} for ${application} and for ${owner}`,
      expected: 'an address of its own for every application',
      remedy: 'choose another port below 1024, or another address such as 127.0.0.2',
    };
  }
}

function* checkRoots(roots: readonly string[]): Iterable<Complaint> {
  if (roots.length === 0) {
    yield {
      at: ['apps', 'roots'],
      rule: 'config-roots-empty',
      found: 'an empty list',
      expected: 'at least one pattern',
      remedy: 'name a pattern, or delete the line for the default',
    };
  }
  for (const [index, root] of roots.entries()) {
    const other = roots.slice(0, index).find((earlier) => rootsOverlap(earlier, root));
    if (other === undefined) continue;
    yield {
      at: ['apps', 'roots', index],
      rule: 'config-roots-overlap',
      found: `${root} claims directories that ${other} claims too`,
      expected: 'patterns that never match the same directory, nor one inside another',
      remedy: 'delete one of the two, or make a fixed component differ',
    };
  }
}

function* checkIdentity({ identity }: Config): Iterable<Complaint> {
  if (identity.minUid > identity.maxUid) {
    yield {
      at: ['identity', 'min_uid'],
      rule: 'config-uid-range',
      found: `min_uid ${identity.minUid} is above max_uid ${identity.maxUid}`,
      expected: 'min_uid at most max_uid',
      remedy: 'lower min_uid, or raise max_uid',
    };
  }
}

function* checkRuntimes(layers: Layers, config: Config): Iterable<Complaint> {
  const named = Object.keys(layers.main.runtimes ?? {});
  const claims = new Map<string, string>();
  // Built-in rows first, so that the administrator's line is the one that is named.
  const ordered = [...config.runtimes.values()].sort(
    (one, other) => Number(named.includes(one.name)) - Number(named.includes(other.name)),
  );
  for (const runtime of ordered) {
    yield* checkComplete(runtime);
    // Script runtimes may have the same extension: an application's manifest chooses one.
    for (const claim of runtime.kind === 'entry' ? runtime.markers : []) {
      const owner = claims.get(claim);
      claims.set(claim, runtime.name);
      if (owner === undefined) continue;
      yield {
        at: ['runtimes', runtime.name, 'markers'],
        rule: 'config-runtime-ambiguous',
        found: `${claim} belongs to ${runtime.name} and to ${owner}`,
        expected: 'one runtime for each marker',
        remedy: `take it out of one of the two`,
      };
    }
  }
}

function* checkComplete(runtime: RuntimeConfig): Iterable<Complaint> {
  const at = ['runtimes', runtime.name];
  if (runtime.command.length === 0) {
    yield {
      at,
      rule: 'config-runtime-incomplete',
      found: `the runtime ${runtime.name} without a command`,
      expected: 'a command, unless the runtime is a built-in one',
      remedy: 'add command = ["/path/of/the/program"], or correct the name',
    };
  }
  if (runtime.kind === 'script' && runtime.extensions.length === 0) {
    yield {
      at,
      rule: 'config-runtime-incomplete',
      found: `the script runtime ${runtime.name} without extensions`,
      expected: 'at least one extension',
      remedy: 'add extensions = [".ext"]',
    };
  }
}

function* checkUsers(layers: Layers, config: Config): Iterable<Complaint> {
  yield* checkLimits(config.defaults, { at: ['limits', 'min_workers'] });
  const owners = new Map<number, string>();
  for (const user of config.users.values()) {
    const { name, limits } = user;
    if (limits.minWorkers !== config.defaults.minWorkers) {
      yield* checkLimits(limits, { at: ['limits', 'min_workers'], user: name });
    }
    yield* checkAccount(layers, user);
    const uid = user.account?.uid;
    if (uid === undefined) continue;
    if (name !== config.identity.routerUser) yield* checkUidRange(config, name, uid);
    const owner = owners.get(uid);
    owners.set(uid, name);
    if (owner === undefined) continue;
    yield {
      at: ['uid'],
      user: name,
      rule: 'config-uid-twice',
      found: `uid ${uid} for ${name} and for ${owner}`,
      expected: 'a uid of its own for every user',
      remedy: 'give one of the two another uid: with one uid they could read and stop each other',
    };
  }
}

function* checkLimits(
  limits: UserConfig['limits'],
  where: Pick<Complaint, 'at' | 'user'>,
): Iterable<Complaint> {
  if (limits.minWorkers > limits.maxWorkersPerApp) {
    yield {
      ...where,
      rule: 'config-min-workers',
      found: `min_workers ${limits.minWorkers} is above max_workers_per_app ${limits.maxWorkersPerApp}`,
      expected: 'min_workers at most max_workers_per_app',
      remedy: 'lower min_workers, or raise max_workers_per_app',
    };
  }
}

function* checkAccount(layers: Layers, { name }: UserConfig): Iterable<Complaint> {
  const { uid, gid, home } = mergeTables(userTables(layers, name));
  const isComplete = uid !== undefined && gid !== undefined;
  const isAbsent = uid === undefined && gid === undefined && home === undefined;
  if (isComplete || isAbsent) return;
  yield {
    at: [uid !== undefined ? 'uid' : gid !== undefined ? 'gid' : 'home'],
    user: name,
    rule: 'config-account-half',
    found: `only a part of uid, gid and home for ${name}`,
    expected: 'uid and gid together (and home, if it is not below the root), or none of the three',
    remedy: 'add what is missing; delete all three if the account is in the passwd database',
  };
}

function* checkUidRange(
  { identity: { minUid, maxUid } }: Config,
  name: string,
  uid: number,
): Iterable<Complaint> {
  if (uid >= minUid && uid <= maxUid) return;
  yield {
    at: ['uid'],
    user: name,
    rule: 'config-uid-range',
    found: `uid ${uid} for ${name}`,
    expected: `a uid from min_uid ${minUid} to max_uid ${maxUid}`,
    remedy: 'give the user another uid, or widen the range in [identity]',
  };
}
