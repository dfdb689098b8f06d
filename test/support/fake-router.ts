// The other end of supervisor.sock and log.sock, as a test wants it: says what it is told, remembers what it hears.
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Channel, IPC_PROTOCOL, supervisorMessage } from '../../src/ipc/index.js';
import type { RouterMessage, SupervisorMessage } from '../../src/ipc/index.js';
import { waitFor } from './wait-for.js';

type Heard<T extends SupervisorMessage['type']> = Extract<SupervisorMessage, { type: T }>;

export class FakeRouter {
  readonly heard: SupervisorMessage[] = [];
  /** Why it does not take over a configuration; '' if it does, undefined if it never says. */
  objection: string | undefined = '';
  readonly #channel: Channel<SupervisorMessage, RouterMessage>;
  #ticket = 0;

  private constructor(socket: Socket) {
    this.#channel = new Channel({
      socket,
      schema: supervisorMessage,
      onMessage: (message: SupervisorMessage) => {
        this.heard.push(message);
        // A router with nothing to tell.
        if (message.type === 'reload') {
          const { digest } = message;
          const { objection: detail } = this;
          if (detail !== undefined) this.send({ type: 'reloaded', digest, detail });
        }
        if (message.type === 'report') this.send({ type: 'reportEnd', serial: message.serial });
      },
      onClose: () => undefined,
    });
  }

  /** Connected and greeted. */
  static async connect(path: string): Promise<FakeRouter> {
    const router = new FakeRouter(await connected(path));
    router.send({ type: 'hello', protocol: IPC_PROTOCOL });
    await waitFor('the welcome', () => router.of('settled').length > 0 || !router.isOpen);
    if (!router.isOpen) throw new Error('refused: there is another router');
    return router;
  }

  get isOpen(): boolean {
    return this.#channel.isOpen;
  }

  send(message: RouterMessage): void {
    this.#channel.send(message);
  }

  close(): void {
    this.#channel.close();
  }

  of<T extends SupervisorMessage['type']>(type: T): Heard<T>[] {
    return this.heard.filter((message): message is Heard<T> => message.type === type);
  }

  /** The first message of this type that fits, whether it has come or is still to come. */
  hear<T extends SupervisorMessage['type']>(
    type: T,
    fits: (message: Heard<T>) => boolean = () => true,
  ): Promise<Heard<T>> {
    return waitFor(`a message ${type}`, () => this.of(type).find(fits));
  }

  /** Asks for a worker and waits for what becomes of it. */
  async need(app: string, runtime = ''): Promise<Heard<'spawned'> | Heard<'refused'>> {
    const ticket = this.ask(app, runtime);
    return await waitFor(`an answer for ${app}`, () =>
      [...this.of('spawned'), ...this.of('refused')].find((answer) => answer.ticket === ticket),
    );
  }

  ask(app: string, runtime = ''): number {
    this.#ticket += 1;
    this.send({ type: 'need', ticket: this.#ticket, app, runtime });
    return this.#ticket;
  }

  /** @throws if the worker is refused */
  async spawn(app: string): Promise<Heard<'spawned'>> {
    const answer = await this.need(app);
    if (answer.type === 'refused')
      throw new Error(`${answer.code} ${answer.rule}: ${answer.detail}`);
    return answer;
  }
}

export const connected = (path: string): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ path });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      socket.on('error', () => undefined);
      resolve(socket);
    });
  });

/** What arrives on log.sock: one entry a connection, all that was written to it. */
export class FakeLogSink {
  readonly server: Server;
  readonly connections: { text: string; isOpen: boolean }[] = [];
  readonly #sockets = new Set<Socket>();

  constructor() {
    this.server = createServer((socket) => {
      const entry = { text: '', isOpen: true };
      this.connections.push(entry);
      this.#sockets.add(socket);
      socket.setEncoding('latin1');
      socket.on('data', (text: string) => (entry.text += text));
      socket.on('error', () => undefined);
      socket.on('close', () => {
        entry.isOpen = false;
        this.#sockets.delete(socket);
      });
    });
  }

  /** What one worker wrote, after its label. */
  of(worker: string): { text: string; isOpen: boolean } | undefined {
    return this.connections.find(({ text }) => text.startsWith(`{"worker":"${worker}"`));
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.server.close();
  }
}
