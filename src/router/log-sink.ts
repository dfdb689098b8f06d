// Where the output of all workers arrives: the log socket, its connections, and the lines that come over FastCGI.
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { LIMITS } from '../limits.js';
import { bind, unlinkOwn } from './listening.js';
import { LogConnection } from './log-connection.js';
import { LogFiles, type Warner } from './log-files.js';
import { LogStore, type LogOrigin, type LogStoreOptions } from './log-store.js';
import { LogLines } from './log-text.js';

/** Who a worker is and what it does right now, for the prefix of its lines. */
export type Identify = (worker: string) => Pick<LogOrigin, 'pid' | 'request'>;

export interface LogSinkOptions {
  readonly socketPath: string;
  readonly logDirectory: string;
  /** The users' directories in it; else the supervisor does, which can give them a group. */
  readonly makesDirectories: boolean;
  readonly log: Warner;
  readonly identify: Identify;
  readonly store?: LogStoreOptions;
  readonly fileMaxBytes?: number;
}

export class LogSink {
  readonly #options: LogSinkOptions;
  readonly files: LogFiles;
  readonly #store: LogStore;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #refusedCount = 0;
  #inode = 0;

  constructor(options: LogSinkOptions) {
    this.#options = options;
    const { logDirectory: directory, makesDirectories, log, store = {} } = options;
    const { fileMaxBytes = LIMITS.logFileMaxBytes } = options;
    const now = store.now ?? ((): number => performance.now()); // a clock that is set back must not keep a file closed
    this.files = new LogFiles({ directory, makesDirectories, log, now, fileMaxBytes });
    this.#store = new LogStore(this.files, store);
    this.#server = createServer((socket) => this.#accept(socket));
    this.#server.maxConnections = LIMITS.logConnectionsMaxCount;
    this.#server.on('drop', () => (this.#refusedCount += 1));
  }

  /** Connections without a valid label, and those over the limit. */
  get refusedCount(): number {
    return this.#refusedCount;
  }
  get connectionsCount(): number {
    return this.#sockets.size;
  }
  get droppedBytes(): number {
    return this.#store.droppedBytes;
  }

  /** @throws UsherdError E_STARTUP_SOCKET */
  async start(): Promise<void> {
    this.#inode = await bind(this.#server, this.#options.socketPath);
  }

  /**
   * Text that a worker sent as FCGI_STDERR about one request, any number of lines; the last needs no end.
   * False: the application is over its rate, the text is counted and gone.
   */
  write(app: string, text: Buffer, about: { readonly worker: string; request: string }): boolean {
    if (!this.#store.admit(app, text.length)) return false;
    const { pid } = this.#options.identify(about.worker);
    const origin = { pid, request: about.request };
    const lines = new LogLines((line, isContinued) =>
      this.#store.addLine(app, { ...origin, stream: isContinued ? 'stderr+' : 'stderr' }, line),
    );
    lines.push(text);
    lines.end();
    return true;
  }

  /** A line of usherd's own, for the owner of the application. */
  note(app: string, origin: Partial<LogOrigin>, text: string): void {
    this.#store.note(app, origin, text);
  }

  /** Text of the last lines of an application, oldest first, each bounded; for the development error page. */
  lastLines(app: string): readonly string[] {
    return this.#store.lastLines(app);
  }

  /** What was read is written; workers that still run write into a closed socket from here on. */
  async stop(): Promise<void> {
    this.#server.close();
    const closed = [...this.#sockets].map((socket) => once(socket, 'close'));
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(closed);
    unlinkOwn(this.#options.socketPath, this.#inode);
    await this.files.close();
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    new LogConnection(socket, {
      store: this.#store,
      identify: this.#options.identify,
      onRefused: () => (this.#refusedCount += 1),
    });
  }
}
