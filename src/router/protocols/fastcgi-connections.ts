// The connections to one FastCGI worker: made for a request, and kept for the next one where the runtime is known to stand it.
import type { ConnectionReuse } from '../../config/index.js';
import {
  RecordDecoder,
  RecordEncoder,
  RecordType,
  type RecordSink,
} from '../../fcgi-protocol/index.js';
import { connectWorkerInto, type WorkerSocket } from '../worker-socket.js';

/** What uses a connection, one at a time. */
export interface ConnectionUser extends RecordSink {
  onConnect(): void;
  /** `decoder.push` it, or let it lie; not to be kept. */
  onData(chunk: Buffer): void;
  onEnd(detail: string): void;
}

const REQUEST_ID_MAX = 65_535;

export class FastcgiConnection implements RecordSink {
  readonly pieceType = RecordType.STDOUT;
  readonly socket: WorkerSocket;
  /** Between two requests it stands at the border of a record; else the connection is not kept. */
  readonly decoder = new RecordDecoder(this);
  readonly encoder: RecordEncoder;
  /** The worker has answered on it before. */
  isReused = false;
  /** While nothing is asked, whatever comes is wrong. */
  readonly idleUser: ConnectionUser;
  #user: ConnectionUser | undefined;
  #requestId = 0;

  constructor(path: string, onUnasked: (connection: FastcgiConnection) => void) {
    const forget = (): void => onUnasked(this);
    const nothing = (): void => undefined;
    this.idleUser = {
      onConnect: forget,
      onData: forget,
      onEnd: forget,
      record: nothing,
    };
    this.socket = connectWorkerInto(path, (bytes) => this.#user?.onData(bytes));
    this.encoder = new RecordEncoder(this.socket);
    this.socket.on('connect', () => this.#user?.onConnect());
    this.socket.on('end', () => this.#user?.onEnd('closed the connection'));
    this.socket.on('error', (err: NodeJS.ErrnoException) =>
      this.#user?.onEnd(err.code ?? err.message),
    );
  }

  /** Never the same twice in a row: what is left of an earlier request is seen to be foreign. */
  nextRequestId(): number {
    this.#requestId = this.#requestId === REQUEST_ID_MAX ? 1 : this.#requestId + 1;
    return this.#requestId;
  }

  use(user: ConnectionUser): void {
    this.#user = user;
  }

  record(type: number, requestId: number, content: Buffer): void {
    this.#user?.record(type, requestId, content);
  }

  close(): void {
    this.#user = undefined;
    this.decoder.stop();
    this.socket.destroy();
  }
}

/** A single-threaded worker is blocked by a connection that it keeps: only its router may ever hold one. */
export class FastcgiConnections {
  readonly path: string;
  /** Requests that the worker takes at once; so many connections are kept at most. */
  readonly concurrency: number;
  readonly #idle: FastcgiConnection[] = [];
  #isRetired = false;
  /** Whether this worker keeps connections at all; unknown until the first was used again, or closed by it. */
  #isKeeping: boolean | undefined;
  readonly #onUnasked = (connection: FastcgiConnection): void => this.#forget(connection);

  constructor(path: string, concurrency: number) {
    this.path = path;
    this.concurrency = concurrency;
  }

  get idleCount(): number {
    return this.#idle.length;
  }

  /**
   * A kept connection, or a new one. Before it is known whether this worker keeps connections, only what may be sent
   * twice goes on a kept one: the worker could be closing it right now. It is closed then, because a worker that waits
   * for a request there accepts no other connection.
   */
  open(isSafe: boolean): FastcgiConnection {
    const kept = this.#idle.pop();
    if (kept === undefined) return this.openNew();
    if (isSafe || this.#isKeeping === true) return kept;
    kept.close();
    return this.openNew();
  }

  openNew(): FastcgiConnection {
    return new FastcgiConnection(this.path, this.#onUnasked);
  }

  /** Whether the worker is asked to keep the connection after a request. */
  mayKeep(reuse: ConnectionReuse, isBodiless: boolean): boolean {
    if (this.#isRetired || this.#isKeeping === false) return false;
    return reuse === 'always' || (reuse === 'after-bodiless' && isBodiless);
  }

  /** After END_REQUEST, with nothing left to send or to read. */
  keep(connection: FastcgiConnection): void {
    if (connection.isReused) this.#isKeeping = true;
    if (this.#isRetired || this.#idle.length >= this.concurrency) {
      connection.close();
      return;
    }
    connection.isReused = true;
    connection.use(connection.idleUser);
    this.#idle.push(connection);
  }

  /** It closed a connection that it had been asked to keep: if that was the first, it does so with all. */
  refute(): void {
    this.#isKeeping ??= false;
  }

  /** It said on a kept connection what nobody had asked: none is kept any more. */
  refuse(): void {
    this.#isKeeping = false;
  }

  /** The worker gets no more requests: at once, because php-cgi does not see SIGTERM before its connection is closed. */
  retire(): void {
    this.#isRetired = true;
    for (const connection of this.#idle) connection.close();
    this.#idle.length = 0;
  }

  #forget(connection: FastcgiConnection): void {
    const index = this.#idle.indexOf(connection);
    if (index !== -1) this.#idle.splice(index, 1);
    connection.close();
    this.refute();
  }
}
