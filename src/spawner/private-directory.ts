// A directory of each user's own for temporary files, sessions and caches: made by root, because nobody else may write beside it.
//
// Its parent belongs to root and nobody else can make, move or remove a name in it, so between mkdir(2) and lchown(2) there is nothing
// to win. Root never looks inside. A link beside it, `UID.owner`, says whose it is: accounts go, and their uids come again.
import { lchownSync, lstatSync, mkdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { join } from 'node:path';
import { UsherdError } from '../errors.js';
import type { Account } from '../privdrop/index.js';

const PRIVATE = 0o700;

const recordOf = (path: string): string => `${path}.owner`;

/** @throws UsherdError E_START_FAILED if there is one that was somebody else's */
export function checkPrivateDirectory(parent: string, account: Account): void {
  if (account.source === 'self') return; // one uid for whatever users there are
  const { uid, name } = account;
  const path = join(parent, String(uid));
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return;
  const former = ownerOf(path);
  if (former !== undefined && former !== name) throw inherited(path, former, account);
}

/** @throws UsherdError E_START_FAILED */
export function ensurePrivateDirectory(parent: string, account: Account): void {
  const { uid, gid } = account;
  const path = join(parent, String(uid));
  try {
    checkPrivateDirectory(parent, account);
    const found = lstatSync(path, { throwIfNoEntry: false }) ?? make(path);
    if (account.source !== 'self') record(path, account.name);
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

/** Undefined for one that is older than these links are. */
const ownerOf = (path: string): string | undefined =>
  lstatSync(recordOf(path), { throwIfNoEntry: false })?.isSymbolicLink() === true
    ? readlinkSync(recordOf(path))
    : undefined;

/** Of a directory that is this account's, or was made just now. */
function record(path: string, name: string): void {
  if (ownerOf(path) === name) return;
  rmSync(recordOf(path), { force: true });
  symlinkSync(name, recordOf(path));
}

const inherited = (path: string, former: string, { name, uid }: Account): UsherdError =>
  new UsherdError('E_START_FAILED', `private directory: it was ${former}'s`, {
    findings: [
      {
        rule: 'private-directory',
        path,
        found: `sessions and temporary files of ${former}, who had uid ${uid} before`,
        expected: `a directory of ${name}'s`,
        remedy: `rm -r ${path} ${recordOf(path)}, and whatever else ${former} has left (find / -xdev -uid ${uid}); was ${former} renamed: ln -sfn ${name} ${recordOf(path)}`,
      },
    ],
  });

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
