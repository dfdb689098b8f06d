// Whether anybody but root (or ourselves) could have put something else at a path: owners and modes from / downward.
import { lstat, readlink } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Finding } from '../errors.js';

/** The uids that may own what is trusted: root, and in self mode also the current user. */
export type TrustedUids = ReadonlySet<number>;

export function trustedUids(requireRootOwned: boolean): TrustedUids {
  const own = process.getuid?.();
  return new Set(requireRootOwned || own === undefined ? [0] : [0, own]);
}

const GROUP_OR_OTHER_WRITE = 0o022;
const STICKY = 0o1000;
/** As the kernel's own bound (path_resolution(7)). */
const LINKS_MAX_COUNT = 40;

/** What is wrong with the owner or mode of one file or directory. */
export function ownershipFindings(
  path: string,
  stats: Pick<Stats, 'uid' | 'mode'>,
  trusted: TrustedUids,
): readonly Finding[] {
  const findings: Finding[] = [];
  const owners = trusted.size > 1 ? 'root or the current user' : 'root';
  if (!trusted.has(stats.uid)) {
    findings.push({
      rule: 'path-owner',
      path,
      found: `it belongs to uid ${stats.uid}`,
      expected: `it belongs to ${owners}`,
      remedy: `chown root ${path}`,
    });
  }
  if ((stats.mode & GROUP_OR_OTHER_WRITE) !== 0) {
    findings.push({
      rule: 'path-mode',
      path,
      found: `its mode is ${(stats.mode & 0o7777).toString(8).padStart(4, '0')}`,
      expected: `nobody but ${owners} can write to it`,
      remedy: `chmod go-w ${path}`,
    });
  }
  return findings;
}

/**
 * Walks to the directory component by component, following symbolic links itself, and returns what is wrong on the way.
 * A sticky directory of root's, such as /tmp, is fine as a parent: what lies in it is checked in its turn.
 * @throws the error of lstat(2) where a component does not exist
 */
export async function directoryFindings(
  directory: string,
  trusted: TrustedUids,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const waiting = components(resolve(directory));
  let linksLeft = LINKS_MAX_COUNT;
  let walked = '/';
  findings.push(...checkDirectory('/', await lstat('/'), trusted));
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    const path = resolve(walked, name);
    const stats = await lstat(path);
    if (!stats.isSymbolicLink()) {
      findings.push(...checkDirectory(path, stats, trusted));
      walked = path;
      continue;
    }
    linksLeft -= 1;
    if (linksLeft < 0) return [...findings, endlessLink(path)];
    // The mode of a link says nothing; who made it does.
    findings.push(...ownershipFindings(path, { uid: stats.uid, mode: 0 }, trusted));
    waiting.unshift(...components(resolve(walked, await readlink(path))));
    walked = '/';
  }
  return findings;
}

/** Like directoryFindings() for the directory that the file is in. */
export const parentFindings = (file: string, trusted: TrustedUids): Promise<readonly Finding[]> =>
  directoryFindings(dirname(resolve(file)), trusted);

const components = (path: string): string[] => path.split('/').filter((name) => name !== '');

function checkDirectory(path: string, stats: Stats, trusted: TrustedUids): readonly Finding[] {
  const isSharedByRoot = stats.uid === 0 && (stats.mode & STICKY) !== 0;
  return isSharedByRoot ? [] : ownershipFindings(path, stats, trusted);
}

const endlessLink = (path: string): Finding => ({
  rule: 'path-link',
  path,
  found: `more than ${LINKS_MAX_COUNT} symbolic links`,
  expected: 'a path with an end',
  remedy: 'name the file by its real path',
});
