// Makes the run-time directories, or mends their owners and modes. Nothing is followed, nothing is emptied, nothing is guessed.
import { chmod, chown, lstat, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Stats } from 'node:fs';
import { directoryFindings, trustedUids } from '../config/index.js';
import { UsherdError, type Finding } from '../errors.js';
import type { PlannedDirectory } from './directory-plan.js';

/** For parents that are missing: as mkdir(1) -p makes them. */
const PARENT_MODE = 0o755;

/**
 * Makes every planned directory with its owner and mode.
 * The parents belong to root (or to us), so nobody can exchange a component between two calls of ours.
 * @throws UsherdError E_STARTUP_DIRECTORY with the first thing in the way
 */
export async function prepareDirectories(plan: readonly PlannedDirectory[]): Promise<void> {
  for (const directory of plan) await prepare(directory);
}

async function prepare(planned: PlannedDirectory): Promise<void> {
  const { path, uid, gid, mode } = planned;
  try {
    await makeParents(dirname(path));
    await makeDirectory(path, 0o700);
    const stats = await lstat(path);
    refuseForeign(planned, stats);
    if (stats.uid !== uid || stats.gid !== gid) await chown(path, uid, gid);
    // After chown(2), which clears the setgid bit.
    await chmod(path, mode);
  } catch (err) {
    throw err instanceof UsherdError ? err : refusal(path, systemError(path, err));
  }
}

/** Makes what is missing, and refuses a way on which somebody else could put something of his own. */
async function makeParents(path: string): Promise<void> {
  if (!(await exists(path))) {
    await makeParents(dirname(path));
    await makeDirectory(path, PARENT_MODE);
    await chmod(path, PARENT_MODE);
  }
  const isRoot = process.getuid?.() === 0;
  const findings = await directoryFindings(path, trustedUids(isRoot));
  if (findings.length > 0) throw new UsherdError('E_STARTUP_DIRECTORY', path, { findings });
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    (err: unknown) => {
      if (isCode(err, 'ENOENT')) return false;
      throw err;
    },
  );
}

async function makeDirectory(path: string, mode: number): Promise<void> {
  await mkdir(path, { mode }).catch((err: unknown) => {
    if (!isCode(err, 'EEXIST')) throw err;
  });
}

/** A link, a file, or a directory that somebody else made is not ours to mend. */
function refuseForeign({ path, uid }: PlannedDirectory, stats: Stats): void {
  const expected = 'a directory of root or of the account that will own it';
  const remedy = `see what it is, and remove ${path}`;
  if (!stats.isDirectory()) {
    const found = stats.isSymbolicLink() ? 'a symbolic link' : 'something that is not a directory';
    throw refusal(path, { found, expected, remedy });
  }
  if (stats.uid !== uid && stats.uid !== 0) {
    throw refusal(path, { found: `a directory of uid ${stats.uid}`, expected, remedy });
  }
}

const refusal = (path: string, what: Pick<Finding, 'found' | 'expected' | 'remedy'>): UsherdError =>
  new UsherdError('E_STARTUP_DIRECTORY', path, {
    findings: [{ rule: 'run-directory', path, ...what }],
  });

function systemError(path: string, err: unknown): Pick<Finding, 'found' | 'expected' | 'remedy'> {
  const code = err instanceof Error && 'code' in err ? String(err.code) : String(err);
  return {
    found: `an error of the system: ${code}`,
    expected: 'a directory that can be made and owned',
    remedy:
      process.getuid?.() === 0
        ? `mend ${dirname(path)}`
        : 'run it as root; or set run, log and state in [paths] to directories of your own',
  };
}

const isCode = (err: unknown, code: string): boolean =>
  err instanceof Error && 'code' in err && err.code === code;
