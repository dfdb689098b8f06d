// The group below which the supervisor keeps its workers where no service manager delegates one: made by `usherd run`.
import { mkdir, lstat, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../log.js';

/** cgroups(7): the unified hierarchy, alone or beside the old ones. */
const MOUNTS = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'];
/** The supervisor looks for this name; the root of the hierarchy itself is not its to write. */
const NAME = 'usherd';
/** What limits and weighs users (src/spawner/cgroup-limits.ts), if the kernel has it in this hierarchy. */
const CONTROLLERS = ['memory', 'pids', 'cpu', 'io'];

/**
 * Without a group only the process group of a worker can be stopped, and what a dead supervisor leaves behind stays:
 * worth a line in the log, not a refusal.
 */
export async function makeCgroupBase(log: Logger): Promise<void> {
  for (const mount of MOUNTS) {
    if (!(await isCgroup(mount))) continue;
    const path = join(mount, NAME);
    try {
      await passControllersOn(mount);
      await mkdir(path, { mode: 0o755, recursive: true });
    } catch (err) {
      log.warn({ path, err: String(err) }, 'no cgroup for the workers');
    }
    return;
  }
  log.warn('no cgroup v2 on this machine');
}

/** From the root of the hierarchy to the groups below it; a service manager has done so already. */
async function passControllersOn(mount: string): Promise<void> {
  const offered = (await readFile(join(mount, 'cgroup.controllers'), 'latin1')).split(/\s+/);
  for (const controller of CONTROLLERS.filter((name) => offered.includes(name))) {
    await writeFile(join(mount, 'cgroup.subtree_control'), `+${controller}`).catch(() => undefined); // status says what is missing
  }
}

const isCgroup = (mount: string): Promise<boolean> =>
  lstat(join(mount, 'cgroup.procs')).then(
    () => true,
    () => false,
  );
