// Whether a worker has taken its connection out of the accept queue: asked once, when a start deadline fires or a client leaves.
import fs from 'node:fs';

/** Of our own network namespace, which has to be the workers'. Below /proc/self, so that it is there with subset=pid. */
const TABLE = '/proc/self/net/unix';
/** Column `St` of it for a connection that nobody has accepted (SS_CONNECTING, <linux/net.h>). */
const STATE_CONNECTING = '02';

/**
 * connect(2) to a listening socket succeeds before accept(2), so a slow start and a slow first request look
 * alike from here. The kernel's list of sockets tells them apart: connections in the accept queue carry the
 * listening socket's name and are still "connecting". It is read when something has happened, never polled.
 * The name is the one that the supervisor bound the socket with, before it renamed it.
 */
export function isAccepted(socketPath: string): boolean {
  return look(socketPath) === 'accepted';
}

/** The same asked the other way round: what is not to be known is neither. */
export function isInQueue(socketPath: string): boolean {
  return look(socketPath) === 'waiting';
}

function look(socketPath: string): 'accepted' | 'waiting' | 'unknown' {
  const bound = socketPath.replace(/sock$/, 'tmp');
  let table: string;
  try {
    table = fs.readFileSync(TABLE, 'latin1');
  } catch {
    return 'unknown'; // the start deadline holds
  }
  const lines = table.split('\n').filter((line) => line.endsWith(` ${bound}`));
  if (lines.length === 0) return 'unknown';
  const isWaiting = lines.some((line) => line.trim().split(/\s+/, 7)[5] === STATE_CONNECTING);
  return isWaiting ? 'waiting' : 'accepted';
}
