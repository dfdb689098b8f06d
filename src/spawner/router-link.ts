// The one connection to the router: who gets in, what it may say and when, what it has been told about applications.
import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { ERRORS, UsherdError } from '../errors.js';
import { Channel, IPC_PROTOCOL, routerMessage } from '../ipc/index.js';
import type { AppFacts, RouterMessage, SupervisorMessage } from '../ipc/index.js';
import { LIMITS } from '../limits.js';
import type { Counters } from './counters.js';
import { ExpiringMap } from './expiring-map.js';
import type { Log } from './log-face.js';
import { answerRouter, type Monitored, type MonitorState } from './monitor.js';
import { TokenBucket } from './token-bucket.js';

export interface RouterLinkParts {
  readonly monitored: Monitored;
  readonly counters: Counters;
  readonly log: Log;
  readonly now: () => number;
  readonly onGone: () => void;
}

export class RouterLink {
  readonly #parts: RouterLinkParts;
  /** A router that keeps coming back broken must not fill the log. */
  readonly #logBudget: TokenBucket;
  #channel: Channel<RouterMessage, SupervisorMessage> | undefined;
  #state: MonitorState = 'greeting';
  #helloDeadline: NodeJS.Timeout | undefined;
  #connection = 0;
  #foreignProtocol = 0;
  /** Workers that this connection knows, so that it is told of their end. */
  readonly #announced = new Set<string>();
  /** Digests: what this connection was last told about an application. */
  readonly #told = new ExpiringMap<string>(LIMITS.factsToldMaxCount);

  constructor(parts: RouterLinkParts) {
    this.#parts = parts;
    const rate = { maxCount: LIMITS.ipcLogBurstCount, perS: LIMITS.ipcLogPerS };
    this.#logBudget = new TokenBucket(rate, parts.now());
  }

  /** True from its greeting to its end. */
  get isConnected(): boolean {
    return this.#channel !== undefined && this.#state === 'serving';
  }

  /** What the last router spoke that came and was not understood; 0 if the last one was. */
  get foreignProtocol(): number {
    return this.#foreignProtocol;
  }

  /** Which connection this is, or was; each has its own tickets. */
  get connection(): number {
    return this.#connection;
  }

  /** A connection came in: it becomes the router, or it is refused because there is one. */
  accept(socket: Socket): void {
    if (this.#channel !== undefined) {
      socket.on('error', () => undefined);
      socket.destroy();
      this.#parts.counters.routerConnectionsRefused += 1;
      this.#warn(undefined, 'second router refused');
      return;
    }
    this.#state = 'greeting';
    this.#told.clear();
    this.#announced.clear();
    this.#connection += 1;
    this.#channel = new Channel({
      socket,
      schema: routerMessage,
      onMessage: (message: RouterMessage) => this.#receive(message),
      onClose: (err) => this.#lost(err),
    });
    this.#helloDeadline = setTimeout(() => {
      this.#channel?.close(new UsherdError('E_MONITOR_UNPERMITTED', 'no greeting in time'));
    }, LIMITS.ipcHelloDeadlineMs);
  }

  /** False if there is no router, or not yet one that has greeted. */
  send(message: SupervisorMessage): boolean {
    return this.isConnected && (this.#channel?.send(message) ?? false);
  }

  announce(message: Extract<SupervisorMessage, { type: 'living' | 'spawned' }>): void {
    if (this.send(message)) this.#announced.add(message.worker);
  }

  /** Says nothing of a worker that this router has not heard of. */
  tellExit(message: Extract<SupervisorMessage, { type: 'exited' }>): void {
    if (this.#announced.delete(message.worker)) this.send(message);
  }

  /** Says nothing if this router knows it already. */
  tellFacts(app: string, facts: Omit<AppFacts, 'type' | 'app'>): void {
    const message: AppFacts = { type: 'facts', app, ...facts };
    const digest = createHash('sha256').update(JSON.stringify(message)).digest('base64url');
    if (this.#told.get(app, 0)?.value === digest) return;
    if (this.send(message)) this.#told.set(app, digest, Number.POSITIVE_INFINITY);
  }

  forgetFacts(app: string): void {
    this.#told.delete(app);
  }

  close(): void {
    this.#channel?.close();
  }

  #receive(message: RouterMessage): void {
    const before = this.#state;
    if (before === 'greeting' && message.type === 'hello') {
      this.#foreignProtocol = message.protocol === IPC_PROTOCOL ? 0 : message.protocol;
      if (this.#foreignProtocol !== 0) {
        this.#showOut(message.protocol);
        return;
      }
      this.#welcome();
    }
    if (answerRouter(before, this.#parts.monitored, message)) return;
    this.#channel?.close(
      new UsherdError('E_MONITOR_UNPERMITTED', `${message.type} while ${before}`),
    );
  }

  /** It ends by itself if it is the older one, and the installed one takes its place. */
  #showOut(protocol: number): void {
    this.#channel?.send({ type: 'foreign', protocol: IPC_PROTOCOL });
    const text = `the router speaks version ${protocol} of their protocol, the supervisor ${IPC_PROTOCOL}`;
    this.#channel?.close(new UsherdError('E_MONITOR_VERSION', text));
  }

  #welcome(): void {
    clearTimeout(this.#helloDeadline);
    this.#state = 'serving';
    this.#parts.counters.routerConnections += 1;
    this.#parts.log.info({}, 'router connected');
  }

  #lost(err: UsherdError | undefined): void {
    clearTimeout(this.#helloDeadline);
    this.#channel = undefined;
    if (err === undefined) {
      this.#parts.log.info({}, 'router gone');
    } else {
      this.#parts.counters.routerConnectionsBroken += 1;
      this.#warn(err, 'router connection ended');
    }
    this.#parts.onGone();
  }

  #warn(err: UsherdError | undefined, message: string): void {
    if (!this.#logBudget.take(this.#parts.now())) return;
    const fields = err === undefined ? {} : fieldsOf(err);
    this.#parts.log.error(fields, message);
  }
}

const fieldsOf = ({ code, message }: UsherdError): object => ({
  errorCode: code,
  detail: message,
  remedy: ERRORS[code].remedy,
});
