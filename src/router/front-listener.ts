// The front sockets: from systemd (LISTEN_FDS) where it made them, else bound here by umask, never wider than they end up.
import fs from 'node:fs';
import net from 'node:net';
import type { FrontSocket } from '../config/index.js';
import { UsherdError } from '../errors.js';
import { LIMITS } from '../limits.js';
import type { Logger } from '../log.js';
import { FrontConnection } from './connection.js';
import type { RouterContext } from './context.js';
import type { FrontSide } from './request-types.js';

const FIRST_INHERITED_FD = 3; // sd_listen_fds(3)
/** Linux caps it at net.core.somaxconn; a full accept queue blocks Apache's threads without a timeout. */
const BACKLOG = 4_096;
const UMASK_0660 = 0o117;
const NOT_OURS = -1;

/** One front socket: whose it is, and its part of all connections. */
interface Place {
  readonly user: string | undefined;
  open: number;
  readonly max: number;
}

/** Where there are several sockets, this part of the connections is left to the others. */
const RESERVED_DIVISOR = LIMITS.frontConnectionsReservedDivisor;

export class FrontListeners {
  readonly #context: RouterContext;
  readonly #log: Logger;
  readonly #servers: {
    readonly server: net.Server;
    readonly path: string;
    readonly inode: number;
  }[] = [];
  readonly #connections = new Map<FrontSide, Place>();

  constructor(context: RouterContext, log: Logger) {
    this.#context = context;
    this.#log = log;
  }

  get connections(): Iterable<FrontSide> {
    return this.#connections.keys();
  }

  /** @throws UsherdError E_STARTUP_SOCKET */
  async start(sockets: readonly FrontSocket[], connectionsMax: number): Promise<void> {
    const inherited = inheritedCount();
    // Whoever may use one socket must not be able to close the others.
    const reserved = sockets.length > 1 ? Math.ceil(connectionsMax / RESERVED_DIVISOR) : 0;
    for (const [index, socket] of sockets.entries()) {
      const place = { user: socket.user, open: 0, max: Math.max(1, connectionsMax - reserved) };
      const server = net.createServer({ allowHalfOpen: true }, (connection) =>
        this.#accept(connection, place, connectionsMax),
      );
      if (index < inherited) {
        await listen(server, { fd: FIRST_INHERITED_FD + index });
        this.#servers.push({ server, path: socket.path, inode: NOT_OURS });
      } else {
        const inode = await bind(server, socket.path);
        this.#servers.push({ server, path: socket.path, inode });
      }
      this.#log.info({ path: socket.path, user: socket.user }, 'front socket open');
    }
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Stop accepting; what is connected is served until its next answer. */
  drain(): void {
    for (const { server, path, inode } of this.#servers) {
      server.close();
      if (inode !== NOT_OURS) unlinkOwn(path, inode);
    }
    for (const connection of this.#connections.keys()) connection.drain();
  }

  closeIdle(): void {
    for (const connection of [...this.#connections.keys()]) connection.closeIfIdle();
  }

  destroy(): void {
    for (const connection of [...this.#connections.keys()]) connection.destroy();
  }

  closed(connection: FrontSide): void {
    const place = this.#connections.get(connection);
    if (place !== undefined) place.open -= 1;
    this.#connections.delete(connection);
    this.#context.counters.frontConnections = this.#connections.size;
  }

  #accept(socket: net.Socket, place: Place, connectionsMax: number): void {
    if (this.#connections.size >= connectionsMax || place.open >= place.max) {
      this.#context.counters.connectionsRefused += 1;
      socket.destroy();
      return;
    }
    place.open += 1;
    this.#connections.set(new FrontConnection(socket, this.#context, place.user), place);
    this.#context.counters.frontConnections = this.#connections.size;
  }
}

/** Sockets that systemd made, if they are meant for this process. */
function inheritedCount(): number {
  if (process.env['LISTEN_PID'] !== String(process.pid)) return 0;
  const count = Number(process.env['LISTEN_FDS']);
  return Number.isInteger(count) && count > 0 ? count : 0;
}

/** Bound under another name and renamed, so that no moment refuses a connection to a router that is there. */
async function bind(server: net.Server, path: string): Promise<number> {
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

/** bind(2) happens inside `server.listen()`, so the umask is ours for just that call. */
function listen(server: net.Server, where: { path: string } | { fd: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const umask = process.umask(UMASK_0660);
    server.listen({ ...where, backlog: BACKLOG }, () => {
      server.removeListener('error', reject);
      resolve();
    });
    process.umask(umask);
  });
}

/** Remove a socket only if it is still the one that this process bound. */
function unlinkOwn(path: string, inode: number): void {
  try {
    if (fs.lstatSync(path).ino === inode) fs.unlinkSync(path);
  } catch {
    // gone already, or not ours to remove: both are fine at the end of the process
  }
}
