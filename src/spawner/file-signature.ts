// What the files of an application look like to root, by lstat(2) of a few names and nothing more: another text after each change.
import { constants } from 'node:fs';
import { dirname } from 'node:path';
import { lstat, open, stat, type FileHandle } from 'node:fs/promises';

export interface Grounds {
  readonly directory: string;
  readonly names: readonly string[];
  /**
   * Absolute, and nothing of a user's: what walls show is what was there when they went up, and a service may make its
   * directory in /run anew when it restarts; a program runs on as the file that it was started from, whatever has taken its place.
   */
  readonly inodes: readonly string[];
}

// open(2): a name for the file and no more, so that nothing is opened for reading. Node has no constant for it.
const O_PATH = 0o10000000;
const DIRECTORY = O_PATH | constants.O_DIRECTORY;

/**
 * One name after the other: all at once would take every thread for one application.
 * Component by component from descriptor to descriptor (R-M3): a link that the tenant makes leads root nowhere.
 */
export async function signatureOf({ directory, names, inodes }: Grounds): Promise<string> {
  const parts: string[] = [];
  for (const path of inodes) parts.push(await inodeOf(path));
  await within('/', directory.split('/').filter(Boolean), async (path) => {
    parts.push(await identityOf(path));
    for (const name of names) {
      const steps = name.split('/').filter((step) => step !== '' && step !== '.');
      const last = steps.pop();
      if (last === undefined) continue;
      parts.push(await within(path, steps, (below) => identityOf(`${below}/${last}`)));
    }
    return '';
  });
  return parts.join(' ');
}

/** What `look` says of the directory that the steps lead to; where they lead to none, whether it is for a link, and which one. */
async function within(
  from: string,
  steps: readonly string[],
  look: (path: string) => Promise<string>,
): Promise<string> {
  const [step, ...others] = steps;
  if (step === undefined) return look(from);
  const next = await openStep(`${from}/${step}`);
  if (next === undefined) return linkAt(`${from}/${step}`);
  try {
    return await within(`/proc/self/fd/${next.fd}`, others, look);
  } finally {
    await next.close();
  }
}

/** A release is deployed by exchanging a link: another link leads somewhere else, wherever that is. */
const linkAt = (path: string): Promise<string> =>
  lstat(path, { bigint: true }).then(
    (stats) => (stats.isSymbolicLink() ? `link:${stats.ino}:${stats.mtimeNs}` : '-'),
    () => '-',
  );

/** Links that only root can make are followed, as /srv may be one; those in a directory of anybody else are not. */
async function openStep(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, DIRECTORY | constants.O_NOFOLLOW);
  } catch {
    const isRoots = await isRootOnly(dirname(path));
    return isRoots ? open(path, DIRECTORY).catch(() => undefined) : undefined;
  }
}

const isRootOnly = (directory: string): Promise<boolean> =>
  stat(directory).then(
    ({ uid, mode }) => uid === 0 && (mode & 0o022) === 0,
    () => false,
  );

/** Of what root or a service made: only whether it is still the same. */
const inodeOf = (path: string): Promise<string> =>
  stat(path, { bigint: true }).then(
    ({ dev, ino }) => `${dev}:${ino}`,
    () => '-',
  );

/** A directory's own times change with every upload into it, so of one only its identity counts. */
async function identityOf(path: string): Promise<string> {
  try {
    const { dev, ino, mtimeNs, size, isDirectory } = await lstatOf(path);
    return isDirectory ? `${dev}:${ino}` : `${dev}:${ino}:${mtimeNs}:${size}`;
  } catch {
    return '-'; // not there, or not for our eyes: a home of mode 0700 is nobody's fault
  }
}

async function lstatOf(
  path: string,
): Promise<{ dev: bigint; ino: bigint; mtimeNs: bigint; size: bigint; isDirectory: boolean }> {
  // Through a descriptor's own name the directory itself is meant, not the link in /proc.
  const stats = await (OWN_DESCRIPTOR.test(path) ? stat : lstat)(path, { bigint: true });
  const { dev, ino, mtimeNs, size } = stats;
  return { dev, ino, mtimeNs, size, isDirectory: stats.isDirectory() };
}

const OWN_DESCRIPTOR = /^\/proc\/self\/fd\/[0-9]+$/;
