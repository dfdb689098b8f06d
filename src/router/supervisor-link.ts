// The router's one connection to the supervisor: made again and again while it is away, typed, never more than one.
import net from 'node:net';
import {
  Channel,
  IPC_PROTOCOL,
  supervisorMessage,
  type RouterMessage,
  type SupervisorMessage,
} from '../ipc/index.js';
import { LIMITS } from '../limits.js';
import type { Logger } from '../log.js';

export interface LinkCallbacks {
  onMessage(message: SupervisorMessage): void;
  onDown(): void;
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

  get isUp(): boolean {
    return this.#channel !== undefined;
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
        if (message.type === 'welcome') {
          this.#retryMs = LIMITS.ipcReconnectMinMs;
          this.#log.info({ version: message.version }, 'supervisor connected');
        }
        this.#callbacks.onMessage(message);
      },
      onClose: (err) => {
        this.#channel = undefined;
        if (!this.#isStopped) this.#log.warn({ err: err?.message }, 'supervisor connection lost');
        this.#callbacks.onDown();
        this.#retry();
      },
    });
    this.#channel = channel;
    channel.send({ type: 'hello', protocol: IPC_PROTOCOL });
  }

  #retry(): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => this.#connect(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, LIMITS.ipcReconnectMaxMs);
  }
}
