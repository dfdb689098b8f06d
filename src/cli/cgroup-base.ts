// The group below which the supervisor keeps its workers where no service manager delegates one: made by `usherd run`.
import { mkdir, lstat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../log.js';

/** cgroups(7): the unified hierarchy, alone or beside the old ones. */
const MOUNTS = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'];
/** The supervisor looks for this name; the root of the hierarchy itself is not its to write. */
const NAME = 'usherd';

/**
 * Without a group only the process group of a worker can be stopped, and what a dead supervisor leaves behind stays:
 * worth a line in the log, not a refusal.
 */
export async function makeCgroupBase(log: Logger): Promise<void> {
  for (const mount of MOUNTS) {
    if (!(await isCgroup(mount))) continue;
    const path = join(mount, NAME);
    try {
      await mkdir(path, { mode: 0o755, recursive: true });
    } catch (err) {
      log.warn({ path, err: String(err) }, 'no cgroup for the workers');
    }
    return;
  }
  log.warn('no cgroup v2 on this machine');
}

const isCgroup = (mount: string): Promise<boolean> =>
  lstat(join(mount, 'cgroup.procs')).then(
    () => true,
    () => false,
  );
