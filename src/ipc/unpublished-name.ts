// The name that a worker's socket is bound with, before it is renamed: the kernel's list of sockets goes on showing this one.

/**
 * proc(5) writes names of sockets as they are, newlines among them, so a tenant can write a row of his own behind the name of
 * a socket of his. A row takes 51 bytes before its name (59 where pointers have 64 bits) of the 107 of a name (unix(7)): none
 * with a name as long as this has room.
 */
const UNFORGEABLE_BYTES = 64;

/** @param socketPath ends in `.sock` */
export function unpublishedName(socketPath: string): string {
  const stem = socketPath.slice(0, -'.sock'.length);
  return `${stem.padEnd(UNFORGEABLE_BYTES - '.tmp'.length, '-')}.tmp`;
}
