// The run-time directories are made by whoever starts the supervisor; here they are checked, never mended.
import { lstatSync, type Stats } from 'node:fs';
import type { Mode } from '../privdrop/index.js';
import { UsherdError, type Finding } from '../errors.js';
import type { RunPaths } from './paths.js';

/** Who the router is, as the directories made for it say. */
export interface RouterIdentity {
  readonly uid: number;
  readonly gid: number;
}

interface Wanted {
  readonly path: string;
  readonly mode: number;
  readonly uid: number | 'not root';
  readonly gid: number | 'not root' | 'any';
}

/** @throws E_STARTUP_DIRECTORY with every finding */
export function checkDirectories(mode: Mode, paths: RunPaths, users: string): RouterIdentity {
  const wanted = mode === 'root' ? wantedForRoot(paths, users) : wantedForSelf(paths, users);
  const findings: Finding[] = wanted.flatMap((row) => findingsOf(row));
  if (findings.length > 0) {
    const names = findings.map((finding) => finding.path).join(', ');
    throw new UsherdError('E_STARTUP_DIRECTORY', names, { findings });
  }
  return { uid: lstatSync(paths.router).uid, gid: lstatSync(paths.workers).gid };
}

function wantedForRoot(paths: RunPaths, users: string): readonly Wanted[] {
  return [
    { path: paths.run, mode: 0o711, uid: 0, gid: 'any' },
    // setgid, so that sockets bound in it belong to the router's group without any chown
    { path: paths.workers, mode: 0o2710, uid: 0, gid: 'not root' },
    // the group is root's, by which the supervisor reaches log.sock without capabilities
    { path: paths.router, mode: 0o750, uid: 'not root', gid: 0 },
    // users go through it to their own; only root puts anything there
    { path: users, mode: 0o711, uid: 0, gid: 'any' },
  ];
}

function wantedForSelf(paths: RunPaths, users: string): readonly Wanted[] {
  const uid = process.getuid?.() ?? -1;
  return [paths.run, paths.workers, paths.router, users].map((path) => ({
    path,
    mode: 0o700,
    uid,
    gid: 'any',
  }));
}

function findingsOf(wanted: Wanted): Finding[] {
  let stats: Stats;
  try {
    stats = lstatSync(wanted.path);
  } catch (err) {
    return [finding(wanted, err instanceof Error ? err.message : String(err))];
  }
  if (!stats.isDirectory()) return [finding(wanted, 'not a directory')];
  const mode = stats.mode & 0o7777;
  const isRight =
    mode === wanted.mode && matches(wanted.uid, stats.uid) && matches(wanted.gid, stats.gid);
  return isRight ? [] : [finding(wanted, describe(stats.uid, stats.gid, mode))];
}

const matches = (wanted: number | 'not root' | 'any', found: number): boolean =>
  wanted === 'any' || (wanted === 'not root' ? found !== 0 : found === wanted);

const describe = (uid: number | string, gid: number | string, mode: number): string =>
  `uid ${uid}, gid ${gid}, mode ${mode.toString(8)}`;

const finding = (wanted: Wanted, found: string): Finding => ({
  rule: 'run-directory',
  path: wanted.path,
  found,
  expected: describe(wanted.uid, wanted.gid, wanted.mode),
  remedy: 'start with `usherd run` or the shipped tmpfiles.d file, which make it',
});
