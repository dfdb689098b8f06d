// What bubblewrap puts between the supervisor and an isolated program: where the program is, and how it ended.
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';

/** bubblewrap, and the first process of the new namespace, which only waits. */
const PROCESSES_BETWEEN = 2;

/** proc(5): only the first is asked for, which the program stays; its own children come after it. */
function firstChildOf(pid: number): number | undefined {
  try {
    const [first = ''] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ');
    return first === '' ? undefined : Number(first);
  } catch {
    return undefined; // gone
  }
}

/** The worker itself while the program is not there yet, or any more. */
export function programBehindWalls(workerPid: number): number {
  let pid: number | undefined = workerPid;
  for (let depth = 0; depth < PROCESSES_BETWEEN && pid !== undefined; depth += 1) {
    pid = firstChildOf(pid);
  }
  return pid ?? workerPid;
}

/** What a shell would say, too: a program that a signal ended is told as 128 and its number. */
const SIGNAL_BASE = 128;

export function signalOf(exitCode: number): NodeJS.Signals | null {
  const found = Object.entries(constants.signals).find(
    ([, number]) => number === exitCode - SIGNAL_BASE,
  );
  return (found?.[0] as NodeJS.Signals | undefined) ?? null;
}
