// The router's one connection to the supervisor: made again and again while it is away, typed, never more than one.
import net from 'node:net';
import {
  Channel,
  IPC_PROTOCOL,
  supervisorMessage,
  type RouterMessage,
  type SupervisorMessage,
} from '../ipc/index.js';
import { ERRORS } from '../errors.js';
import { LIMITS } from '../limits.js';
import type { Logger } from '../log.js';
import type { News } from './supervisor-news.js';

export interface LinkCallbacks {
  onMessage(message: News): void;
  onDown(): void;
  /** The supervisor has become newer than this process, which therefore is not what is installed. */
  onOutdated(): void;
}

export class SupervisorLink {
  readonly #path: string;
  readonly #log: Logger;
  readonly #callbacks: LinkCallbacks;
  #channel: Channel<SupervisorMessage, RouterMessage> | undefined;
  #retryMs: number = LIMITS.ipcReconnectMinMs;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;
  #isAwayLogged = false;
  /** Once, by a supervisor that is not there any more, perhaps. */
  #wasWelcome = false;
  #isForeignLogged = false;

  constructor(path: string, log: Logger, callbacks: LinkCallbacks) {
    this.#path = path;
    this.#log = log;
    this.#callbacks = callbacks;
  }

  start(): void {
    this.#connect();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#channel?.close();
  }

  /** @returns false if the supervisor is away; the message is then lost. */
  send(message: RouterMessage): boolean {
    return this.#channel?.send(message) ?? false;
  }

  #connect(): void {
    const socket = net.connect({ path: this.#path });
    const onError = (err: NodeJS.ErrnoException): void => {
      socket.destroy();
      if (!this.#isAwayLogged) {
        this.#log.warn({ path: this.#path, err: err.code }, 'supervisor not reachable');
        this.#isAwayLogged = true;
      }
      this.#retry();
    };
    socket.once('error', onError);
    socket.once('connect', () => {
      socket.removeListener('error', onError);
      this.#onConnect(socket);
    });
  }

  #onConnect(socket: net.Socket): void {
    this.#isAwayLogged = false;
    const channel = new Channel<SupervisorMessage, RouterMessage>({
      socket,
      schema: supervisorMessage,
      onMessage: (message) => {
        if (message.type === 'welcome') this.#onWelcome(message.version);
        if (message.type === 'foreign') this.#onForeign(message.protocol);
        else this.#callbacks.onMessage(message);
      },
      onClose: (err) => {
        this.#channel = undefined;
        if (!this.#isStopped && !this.#isForeignLogged)
          this.#log.warn({ err: err?.message }, 'supervisor connection lost');
        this.#callbacks.onDown();
        this.#retry();
      },
    });
    this.#channel = channel;
    channel.send({ type: 'hello', protocol: IPC_PROTOCOL });
  }

  #onWelcome(version: string): void {
    this.#retryMs = LIMITS.ipcReconnectMinMs;
    this.#wasWelcome = true;
    this.#isForeignLogged = false;
    this.#log.info({ version }, 'supervisor connected');
  }

  /** Only one that was welcome before can be out of date; another one would come back as what it is. */
  #onForeign(protocol: number): void {
    const isOutdated = this.#wasWelcome && protocol > IPC_PROTOCOL;
    const fields = { supervisorProtocol: protocol, protocol: IPC_PROTOCOL };
    if (isOutdated) {
      this.#log.warn(fields, 'the supervisor is newer: ending, for the installed router to start');
      this.stop();
      this.#callbacks.onOutdated();
    } else if (!this.#isForeignLogged) {
      const { meaning, remedy } = ERRORS.E_MONITOR_VERSION;
      this.#log.error({ ...fields, errorCode: 'E_MONITOR_VERSION', remedy }, meaning);
      this.#isForeignLogged = true;
    }
  }

  #retry(): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => this.#connect(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, LIMITS.ipcReconnectMaxMs);
  }
}
