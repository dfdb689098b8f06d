// The front sockets, and the connections that come in by them.
import net from 'node:net';
import type { FrontSocket } from '../config/index.js';
import { LIMITS } from '../limits.js';
import type { Logger } from '../log.js';
import { FrontConnection } from './connection.js';
import type { RouterContext } from './context.js';
import { bind, inheritedSockets, listen, unlinkOwn } from './listening.js';
import type { FrontSide } from './request-types.js';

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
    const inherited = inheritedSockets().front;
    // Whoever may use one socket must not be able to close the others.
    const reserved = sockets.length > 1 ? Math.ceil(connectionsMax / RESERVED_DIVISOR) : 0;
    for (const [index, socket] of sockets.entries()) {
      const place = { user: socket.user, open: 0, max: Math.max(1, connectionsMax - reserved) };
      const server = net.createServer({ allowHalfOpen: true }, (connection) =>
        this.#accept(connection, place, connectionsMax),
      );
      const inheritedFd = inherited[index];
      if (inheritedFd !== undefined) {
        await listen(server, { fd: inheritedFd });
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
