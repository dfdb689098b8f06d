// Without cgroups: finds what a dead worker left in its session. What made a session of its own is not found.
import { readFileSync, readdirSync, statSync } from 'node:fs';

/**
 * Kills every process of this user whose session is that of the worker. The session's number cannot be given to
 * anybody else while one of its members lives, so nobody foreign is met.
 */
export function killSession(session: number, uid: number): number {
  let killed = 0;
  for (const name of readdirSync('/proc')) {
    if (!/^[1-9][0-9]*$/.test(name) || !isMember(name, session, uid)) continue;
    try {
      process.kill(Number(name), 'SIGKILL');
      killed += 1;
    } catch {
      // It ended by itself in between.
    }
  }
  return killed;
}

function isMember(pid: string, session: number, uid: number): boolean {
  try {
    return (
      sessionOf(readFileSync(`/proc/${pid}/stat`, 'latin1')) === session && ownerOf(pid) === uid
    );
  } catch {
    return false; // gone
  }
}

/** proc(5): the name is in parentheses and may hold anything; session is the fourth field after it. */
function sessionOf(stat: string): number {
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3]);
}

const ownerOf = (pid: string): number => statSync(`/proc/${pid}`).uid;

/** True for a process that has ended and is not reaped yet: what /proc says about it proves nothing. */
export function isDead(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return /^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return true;
  }
}
