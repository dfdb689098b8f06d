// Processes as /proc shows them: who belongs to whom, what they have cost, what they hold.
import { readdirSync, readFileSync, statSync } from 'node:fs';

const TICK_US = 10_000; // USER_HZ is 100 on every Linux that Node runs on

interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly ownTicks: number;
  readonly reapedTicks: number;
}

function readRow(pid: number): ProcessRow | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const at = (index: number): number => fields[index] ?? 0;
    return { pid, parent: at(1), ownTicks: at(11) + at(12), reapedTicks: at(13) + at(14) };
  } catch {
    return undefined; // it has ended
  }
}

const allRows = (): ProcessRow[] =>
  readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .flatMap((name) => readRow(Number(name)) ?? []);

/** A process and everything that it started and still lives, however deep. */
export function treeOf(root: number): readonly number[] {
  const rows = allRows();
  const found = [root];
  for (const pid of found) {
    for (const row of rows) if (row.parent === pid) found.push(row.pid);
  }
  return found;
}

/** What somebody is for the table: its role in usherd, or the name of its program. */
export function roleOf(pid: number): string {
  try {
    const argv = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0');
    const own = argv.find((it) => it === 'router' || it === 'supervisor' || it === 'run');
    if (argv.some((it) => it.endsWith('/main.js'))) return own ?? 'usherd';
    const name = readFileSync(`/proc/${pid}/comm`, 'latin1').trim();
    return name.startsWith('php') ? 'php' : name;
  } catch {
    return '';
  }
}

export const uidOf = (pid: number): number => {
  try {
    return statSync(`/proc/${pid}`).uid;
  } catch {
    return -1;
  }
};

/** What every peer reaps while it is measured: workers that were replaced. */
const REAPED_ROLE = 'php';

/**
 * Microseconds of processor time by role. What a process has reaped counts as workers' time: the time of one that is replaced
 * between two looks only moves from the worker to its reaper.
 */
export function processorUs(pids: readonly number[]): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const pid of pids) {
    const row = readRow(pid);
    const role = roleOf(pid);
    if (row === undefined || role === '') continue;
    sums.set(role, (sums.get(role) ?? 0) + row.ownTicks * TICK_US);
    sums.set(REAPED_ROLE, (sums.get(REAPED_ROLE) ?? 0) + row.reapedTicks * TICK_US);
  }
  return sums;
}

/** Proportional share of memory, in bytes: what is shared with others counts in part. */
export function memoryBytes(pids: readonly number[]): number {
  let sum = 0;
  for (const pid of pids) {
    try {
      const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
      sum += Number(/^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1] ?? 0) * 1024;
    } catch {
      // it has ended
    }
  }
  return sum;
}
