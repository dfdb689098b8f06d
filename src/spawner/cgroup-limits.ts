// What the kernel is told to hold a user and an application to: numbers into files of cgroup v2, each read back.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readWord, writeAndReadBack } from './cgroup-files.js';

/** What `status` calls controllers; in the order in which they are asked for. */
export const WANTED_CONTROLLERS = ['memory', 'pids', 'cpu', 'io'] as const;
/** Those that an application has limits of its own for; the others weigh users against each other. */
export const APP_CONTROLLERS = ['memory', 'pids'] as const;

export interface AppGroupLimits {
  /** 0: no limit. */
  readonly memoryMaxBytes: number;
  /** 0: nowhere. */
  readonly memoryHighBytes: number;
  /** 0: no limit. */
  readonly pidsMax: number;
}

export interface UserGroupLimits {
  /** 0: no limit. */
  readonly pidsMax: number;
  readonly cpuWeight: number;
  readonly ioWeight: number;
}

const orMax = (value: number): string => (value === 0 ? 'max' : String(value));

/** Memory is counted in pages; what is not a whole number of them is rounded down by the kernel. */
const PAGE_BYTES = 4_096;

function writeBytes(path: string, bytes: number): boolean {
  if (writeAndReadBack(path, orMax(bytes))) return true;
  // Where pages are larger, the kernel shows less than was asked for, which is as strict.
  const shown = Number(readWord(path));
  return shown > bytes - 16 * PAGE_BYTES && shown <= bytes;
}

/** False if a limit does not hold afterwards: then nothing may be started in the group. */
export function limitApp(
  group: string,
  controllers: readonly string[],
  limits: AppGroupLimits,
): boolean {
  const { memoryMaxBytes, memoryHighBytes, pidsMax } = limits;
  const hasPids = !controllers.includes('pids') || limitPids(group, pidsMax);
  if (!controllers.includes('memory')) return hasPids;
  const hasMemory =
    writeBytes(join(group, 'memory.max'), memoryMaxBytes) &&
    writeBytes(join(group, 'memory.high'), memoryHighBytes);
  // Without it (before Linux 4.19) one process is killed and the rest of the application goes on without it.
  const together = join(group, 'memory.oom.group');
  if (existsSync(together)) writeAndReadBack(together, '1');
  return hasPids && hasMemory;
}

/** False as above. Weights are a matter of fairness: where the kernel takes none, nobody is less safe. */
export function limitUser(
  group: string,
  controllers: readonly string[],
  limits: UserGroupLimits,
): boolean {
  if (controllers.includes('cpu')) {
    writeAndReadBack(join(group, 'cpu.weight'), String(limits.cpuWeight));
  }
  const ioWeight = join(group, 'io.weight'); // only with an I/O scheduler or cost model that knows weights
  if (controllers.includes('io') && existsSync(ioWeight)) {
    writeAndReadBack(ioWeight, `default ${limits.ioWeight}`);
  }
  return !controllers.includes('pids') || limitPids(group, limits.pidsMax);
}

const limitPids = (group: string, pidsMax: number): boolean =>
  writeAndReadBack(join(group, 'pids.max'), orMax(pidsMax));

/** Processes that were killed in the group for want of memory, since it was made. */
export function memoryKills(group: string): number {
  const events = readWord(join(group, 'memory.events')) ?? '';
  return Number(/^oom_kill (\d+)$/m.exec(events)?.[1] ?? 0);
}
