// The front sockets, and the connections that come in by them.
import net from 'node:net';
import type { AuthorizerSocket, Config, FrontSocket } from '../config/index.js';
import { UsherdError } from '../errors.js';
import { isListenedOn } from '../ipc/index.js';
import { LIMITS } from '../limits.js';
import type { Logger } from '../log.js';
import { FrontConnection } from './connection.js';
import type { RouterContext } from './context.js';
import { assertAddress, cannotBind, isFromThisMachine } from './front-address.js';
import { bind, inheritedSockets, listen, unlinkOwn } from './listening.js';
import type { FrontBounds, FrontSide } from './request-types.js';

const NOT_OURS = -1;

/** One front socket: whose it is, and its part of all connections. */
interface Place extends FrontBounds {
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
  async start(front: Config['front']): Promise<void> {
    const { sockets, authorizers, connectionsMax } = front;
    const inherited = inheritedSockets().front;
    // Whoever may use one socket must not be able to close the others.
    const isOnlyOne = sockets.length + authorizers.length === 1;
    const reserved = isOnlyOne ? 0 : Math.ceil(connectionsMax / RESERVED_DIVISOR);
    const max = Math.max(1, connectionsMax - reserved);
    for (const [index, socket] of sockets.entries()) {
      const place = { user: socket.user, authorizer: undefined, open: 0, max };
      await this.#open(this.#serverAt(place, connectionsMax), socket, inherited[index]);
    }
    for (const [index, address] of authorizers.entries()) {
      const own = Math.min(max, LIMITS.authorizerConnectionsMaxCount);
      const place = { user: undefined, authorizer: address.application, open: 0, max: own };
      const server = this.#serverAt(place, connectionsMax);
      await this.#openAddress(server, address, inherited[sockets.length + index]);
    }
  }

  /**
   * A socket behind which somebody serves is not taken away from him: whoever types `usherd router` beside one that runs would
   * end every request. A router that stops has let go of its sockets before.
   * @throws UsherdError E_STARTUP_SOCKET
   */
  async assertFree({ sockets }: Config['front']): Promise<void> {
    const inherited = inheritedSockets().front;
    for (const [index, { path }] of sockets.entries()) {
      if (inherited[index] !== undefined || (await isListenedOn(path)) !== true) continue;
      throw new UsherdError('E_STARTUP_SOCKET', `somebody listens on ${path}`);
    }
  }

  #serverAt(place: Place, connectionsMax: number): net.Server {
    return net.createServer({ allowHalfOpen: true, noDelay: true }, (connection) =>
      this.#accept(connection, place, connectionsMax),
    );
  }

  async #open(
    server: net.Server,
    { path, user }: FrontSocket,
    inheritedFd: number | undefined,
  ): Promise<void> {
    if (inheritedFd === undefined) {
      this.#servers.push({ server, path, inode: await bind(server, path) });
    } else {
      await listen(server, { fd: inheritedFd });
      this.#servers.push({ server, path, inode: NOT_OURS });
    }
    this.#log.info({ path, user }, 'front socket open');
  }

  async #openAddress(
    server: net.Server,
    address: AuthorizerSocket,
    inheritedFd: number | undefined,
  ): Promise<void> {
    this.#servers.push({ server, path: '', inode: NOT_OURS });
    const { host, port, application } = address;
    try {
      await listen(server, inheritedFd === undefined ? { host, port } : { fd: inheritedFd });
    } catch (err) {
      throw cannotBind(address, err);
    }
    assertAddress(server, address);
    this.#log.info({ host, port, application }, 'authorizer address open');
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Nothing that was asked waits for an answer, and no answer for its web server. */
  get isServed(): boolean {
    for (const { isIdle, isWritten } of this.#connections.keys()) {
      if (!isIdle || !isWritten) return false;
    }
    return true;
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

  /** Any account can take all of an address's connections, and keep them: who comes then, comes instead of an idle one. */
  #makeRoom(place: Place): void {
    for (const [connection, its] of this.#connections) {
      if (its !== place || !connection.isIdle) continue;
      this.closed(connection); // counted out now: more may come before it says so itself
      connection.destroy();
      return;
    }
  }

  #accept(socket: net.Socket, place: Place, connectionsMax: number): void {
    if (place.authorizer !== undefined && place.open >= place.max) this.#makeRoom(place);
    const isFull = this.#connections.size >= connectionsMax || place.open >= place.max;
    const isForeign = place.authorizer !== undefined && !isFromThisMachine(socket);
    if (isFull || isForeign) {
      this.#context.counters.connectionsRefused += 1;
      socket.destroy();
      return;
    }
    place.open += 1;
    this.#connections.set(new FrontConnection(socket, this.#context, place), place);
    this.#context.counters.frontConnections = this.#connections.size;
  }
}
