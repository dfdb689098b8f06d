// A directory of each user's own for temporary files, sessions and caches: made by root, because nobody else may write beside it.
//
// Its parent belongs to root and nobody else can make, move or remove a name in it, so between mkdir(2) and lchown(2) there is nothing
// to win. Root never looks inside.
import { lchownSync, lstatSync, mkdirSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { UsherdError } from '../errors.js';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

const PRIVATE = 0o700;

/** @throws UsherdError E_START_FAILED */
export function ensurePrivateDirectory(parent: string, { uid, gid }: Owner): void {
  const path = join(parent, String(uid));
  try {
    const found = lstatSync(path, { throwIfNoEntry: false }) ?? make(path);
    // One of root's is one whose making was interrupted; by the user's own chmod it is his own business to be open.
    if (found.isDirectory() && found.uid === 0 && uid !== 0) lchownSync(path, uid, gid);
    else if (!found.isDirectory() || found.uid !== uid) throw refused(path, describe(found));
  } catch (err) {
    throw err instanceof UsherdError ? err : refused(path, String(err), err);
  }
}

function make(path: string): Stats {
  mkdirSync(path, { mode: PRIVATE });
  return lstatSync(path);
}

const describe = (stats: Stats): string =>
  stats.isDirectory() ? `a directory of uid ${stats.uid}` : 'something that is no directory';

const refused = (path: string, found: string, cause?: unknown): UsherdError =>
  new UsherdError('E_START_FAILED', `private directory: ${found}`, {
    cause,
    findings: [
      {
        rule: 'private-directory',
        path,
        found,
        expected: 'a directory of the user, named by his uid',
        remedy: `see what it is, and remove ${path}`,
      },
    ],
  });
