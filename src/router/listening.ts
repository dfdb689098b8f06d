// Sockets that the router listens on: from systemd (LISTEN_FDS) where it made them, else bound here by umask, never wider than they end up.
import fs from 'node:fs';
import type net from 'node:net';
import { UsherdError } from '../errors.js';
import { LIMITS } from '../limits.js';

const FIRST_INHERITED_FD = 3; // sd_listen_fds(3)
const UMASK_0660 = 0o117;

/** Descriptors of sockets that systemd made, if they are meant for this process; those named otherwise are front sockets. */
export function inheritedSockets(env = process.env): {
  readonly front: readonly number[];
  readonly metrics: readonly number[];
} {
  const count = Number(env['LISTEN_FDS']);
  const isOurs = env['LISTEN_PID'] === String(process.pid) && Number.isInteger(count) && count > 0;
  const names = (env['LISTEN_FDNAMES'] ?? '').split(':');
  const all = Array.from({ length: isOurs ? count : 0 }, (_, at) => at);
  const fdsOf = (isWanted: (name: string | undefined) => boolean): readonly number[] =>
    all.filter((at) => isWanted(names[at])).map((at) => FIRST_INHERITED_FD + at);
  return {
    front: fdsOf((name) => name !== 'metrics'),
    metrics: fdsOf((name) => name === 'metrics'),
  };
}

/**
 * Bound under another name and renamed, so that no moment refuses a connection to a router that is there.
 * @returns the inode, by which it is known again
 * @throws UsherdError E_STARTUP_SOCKET
 */
export async function bind(server: net.Server, path: string): Promise<number> {
  const staged = `${path}.${process.pid}`;
  if (Buffer.byteLength(staged) > LIMITS.socketPathMaxBytes) {
    throw new UsherdError('E_STARTUP_SOCKET', `path is too long for a socket: ${path}`);
  }
  try {
    fs.rmSync(staged, { force: true });
    await listen(server, { path: staged });
    fs.renameSync(staged, path);
    return fs.lstatSync(path).ino;
  } catch (err) {
    throw new UsherdError('E_STARTUP_SOCKET', `cannot bind ${path}: ${String(err)}`, {
      cause: err,
    });
  }
}

type Where =
  | { readonly path: string }
  | { readonly fd: number }
  | { readonly host: string; readonly port: number };

/** bind(2) happens inside `server.listen()`, so the umask is ours for just that call. */
export function listen(server: net.Server, where: Where): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const umask = process.umask(UMASK_0660);
    try {
      server.listen({ ...where, backlog: LIMITS.frontBacklogCount }, () => {
        server.removeListener('error', reject);
        resolve();
      });
    } finally {
      process.umask(umask);
    }
  });
}

/** Remove a socket only if it is still the one that this process bound. */
export function unlinkOwn(path: string, inode: number): void {
  try {
    if (fs.lstatSync(path).ino === inode) fs.unlinkSync(path);
  } catch {
    // gone already, or not ours to remove: both are fine at the end of the process
  }
}
