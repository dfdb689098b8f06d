// Small steps on a cgroup v2 directory; every path below is root's own, never a tenant's.
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LIMITS } from '../limits.js';

export function readWord(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** True if the kernel took the value and shows it again. */
export function writeAndReadBack(path: string, value: string): boolean {
  write(path, value);
  return readWord(path) === value;
}

/** True if the directory is there afterwards. */
export function makeGroup(path: string): boolean {
  try {
    mkdirSync(path, { recursive: true, mode: 0o755 });
    return true;
  } catch {
    return false;
  }
}

const isPopulated = (group: string): boolean =>
  /^populated 1$/m.test(readWord(join(group, 'cgroup.events')) ?? '');

/** Kills everything in the group and below it; below Linux 5.14 one by one, frozen so that no number is reused. */
export function killGroup(group: string): void {
  if (!isPopulated(group)) return;
  const all = join(group, 'cgroup.kill');
  if (existsSync(all)) {
    write(all, '1');
    return;
  }
  const freezer = join(group, 'cgroup.freeze');
  write(freezer, '1');
  for (const directory of [group, ...groupsBelow(group)]) killMembers(directory);
  write(freezer, '0');
}

/** The group may vanish, or never have had such a file; what is decided does not hang on it. */
function write(path: string, value: string): void {
  try {
    writeFileSync(path, value);
  } catch {
    // Who has to know reads back.
  }
}

function killMembers(group: string): void {
  for (const pid of (readWord(join(group, 'cgroup.procs')) ?? '').split('\n')) {
    if (pid === '') continue;
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It ended by itself in between.
    }
  }
}

/** Deepest first. */
export function groupsBelow(group: string): string[] {
  let names: string[];
  try {
    names = readdirSync(group, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(group, entry.name));
  } catch {
    return [];
  }
  return names.flatMap((name) => [...groupsBelow(name), name]);
}

/** False if somebody is still in it when the time is over. Members that were killed need a moment to leave. */
export async function removeGroup(group: string): Promise<boolean> {
  const tries = LIMITS.cgroupRemoveMaxMs / LIMITS.cgroupRemoveRetryMs;
  for (let left = tries - 1; left > 0; left -= 1) {
    if (tryRemove(group)) return true;
    await sleep(LIMITS.cgroupRemoveRetryMs);
  }
  return tryRemove(group);
}

/** True if it is gone. */
export function tryRemove(group: string): boolean {
  try {
    rmdirSync(group);
    return true;
  } catch (err) {
    return (err as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

/** The unified hierarchy, alone or beside the old ones. */
export const findMount = (): string | undefined =>
  ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'].find((path) =>
    existsSync(join(path, 'cgroup.procs')),
  );

/** The path in the unified hierarchy, which is the line `0::/path` of cgroups(7). */
export function groupOf(pid: number | 'self'): string | undefined {
  try {
    return /^0::(\/.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}

/** The same as a directory. */
export function directoryOf(pid: number | 'self'): string | undefined {
  const mount = findMount();
  const path = groupOf(pid);
  if (mount === undefined || path === undefined) return undefined;
  return path === '/' ? mount : mount + path;
}

/** True if the process is in the group afterwards, as /proc shows it. */
export function moveInto(group: string, pid: number | 'self'): boolean {
  // cgroup.procs shows numbers in no fixed form, so the proof is the process's own file.
  write(join(group, 'cgroup.procs'), String(pid === 'self' ? process.pid : pid));
  return directoryOf(pid) === group;
}
