// What /proc shows of processes that belong to somebody else: no more than root may see without any capability for it.
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { uptime } from 'node:os';

/** True for a process that has ended and is not reaped yet: what /proc says about it proves nothing. */
export function isDead(pid: number): boolean {
  const stat = read(pid, 'stat');
  return stat === '' || /^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
}

/** Of all of them, or of one user. */
export function pidsOf(uid: number | undefined): readonly number[] {
  const pids = readdirSync('/proc').filter((name) => /^[1-9][0-9]*$/.test(name));
  return pids.map(Number).filter((pid) => uid === undefined || ownerOf(pid) === uid);
}

export interface ProcessFigures {
  readonly rssBytes: number;
  /** In user and kernel mode, of all its threads. */
  readonly cpuMs: number;
  readonly ageMs: number;
}

/** Linux counts in these for every program, whatever the kernel's own clock is: times(2). */
const MS_PER_TICK = 10;

/** undefined for a process that has ended, be it reaped or not. */
export function figuresOf(pid: number): ProcessFigures | undefined {
  const rssKib = /^VmRSS:\s+(\d+) kB$/m.exec(read(pid, 'status'))?.[1];
  const stat = read(pid, 'stat');
  // Its name comes second and may hold anything; fields are counted from the third one, the state.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticksOf = (field: number): number => Number(fields[field - 3]);
  if (rssKib === undefined || stat === '') return undefined;
  return {
    rssBytes: Number(rssKib) * 1024,
    cpuMs: (ticksOf(14) + ticksOf(15)) * MS_PER_TICK,
    ageMs: uptime() * 1_000 - ticksOf(22) * MS_PER_TICK,
  };
}

/** Hard limits; undefined for one that is not set, and for a process that is gone. */
export function markLimitsOf(pid: number): {
  readonly locks: number | undefined;
  readonly seal: number | undefined;
} {
  const text = read(pid, 'limits');
  const of = (line: RegExpExecArray | null): number | undefined =>
    line?.[1] === undefined ? undefined : Number(line[1]);
  return {
    locks: of(/^Max file locks +\S+ +(\d+)/m.exec(text)),
    seal: of(/^Max realtime timeout +\S+ +(\d+)/m.exec(text)),
  };
}

/** Nothing in its bounding set: whoever it is, he came to be by a launch. */
export const isPowerless = (pid: number): boolean => /^CapBnd:\t0+$/m.test(read(pid, 'status'));

function ownerOf(pid: number): number | undefined {
  return statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid;
}

/** '' for a process that is gone. */
function read(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch {
    return '';
  }
}
