// The directory of spool files: made if missing, private, and free of what a crash left behind.
import { lstat, mkdir, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { UsherdError } from '../errors.js';

/** `body-` and 32 hex digits, as SpoolFile names them; anything else is not ours to remove. */
const LEFTOVER = /^body-[0-9a-f]{32}$/;

/**
 * Path of the spool directory below the state directory.
 * @throws UsherdError E_STARTUP_DIRECTORY if it is not a directory of this process' user with mode 0700.
 */
export async function openSpoolDirectory(state: string): Promise<string> {
  const directory = join(state, 'spool');
  try {
    await mkdir(directory, { mode: 0o700, recursive: true });
    const status = await lstat(directory);
    const isPrivate = status.isDirectory() && (status.mode & 0o077) === 0;
    if (!isPrivate || status.uid !== process.geteuid?.()) {
      throw new Error('not a private directory of this user');
    }
    const names = await readdir(directory);
    await Promise.all(names.filter((n) => LEFTOVER.test(n)).map((n) => unlink(join(directory, n))));
  } catch (cause) {
    throw new UsherdError('E_STARTUP_DIRECTORY', 'the spool directory cannot be used', { cause });
  }
  return directory;
}
