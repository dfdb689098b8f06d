// The bounded queue in which requests wait for a worker: first in, first out, each with the same time to wait.
//
// Deadlines are not stored: they are "waiting since" plus the timeout of now, so that both ends of a list are in the
// order of their deadlines whatever a reload changes, and one timer for the first of them is enough.
import { Alarm } from './alarm.js';
import type { Clock } from './clock.js';
import { LinkedList, ListNode } from './linked-list.js';

interface Waiting<T> {
  readonly request: T;
  readonly sinceMs: number;
  readonly queue: WaitQueue<T>;
  /** It may find out whether a worker comes up: if that dies of it, it can be given to another one. */
  readonly mayProve: boolean;
}
export type Ticket<T> = ListNode<Waiting<T>>;

/** Where the ticket of each waiting request is found again; shared by all queues. */
export type TicketIndex<T> = Map<T, Ticket<T>>;

export interface WaitQueueOptions<T> {
  readonly clock: Clock;
  readonly tickets: TicketIndex<T>;
  readonly lengthMax: number;
  readonly timeoutMs: number;
  /** A request left that nobody took. */
  readonly onWithdrawn: () => void;
  /** The request has left the queue already. */
  readonly onDeadline: (request: T) => void;
}

export class WaitQueue<T> {
  readonly #clock: Clock;
  readonly #tickets: TicketIndex<T>;
  readonly #onWithdrawn: () => void;
  readonly #onDeadline: (request: T) => void;
  /** Requests whose worker died go first, and are bounded by the requests that workers had. */
  readonly #retried = new LinkedList<Waiting<T>>();
  readonly #fresh = new LinkedList<Waiting<T>>();
  #lengthMax: number;
  #timeoutMs: number;
  readonly #alarm: Alarm;

  constructor(options: WaitQueueOptions<T>) {
    this.#clock = options.clock;
    this.#tickets = options.tickets;
    this.#onWithdrawn = options.onWithdrawn;
    this.#onDeadline = options.onDeadline;
    this.#alarm = new Alarm(options.clock, () => this.#expireAll());
    this.#lengthMax = options.lengthMax;
    this.#timeoutMs = options.timeoutMs;
  }

  get length(): number {
    return this.#retried.length + this.#fresh.length;
  }

  /** How long the first one waits; 0 if none does. */
  oldestWaitMs(nowMs: number): number {
    const sinceMs = this.#oldestSinceMs();
    return sinceMs === Infinity ? 0 : nowMs - sinceMs;
  }

  /** False if the queue is full. */
  submit(request: T, mayProve = true): boolean {
    if (this.#fresh.length >= this.#lengthMax) return false;
    this.#join(request, this.#fresh, mayProve);
    return true;
  }

  /** Ahead of all fresh requests, and whatever the length. It is not tried out on a worker another time. */
  resubmit(request: T): void {
    this.#join(request, this.#retried, false);
  }

  /** The next request, out of the queue. */
  take(): T | undefined {
    const request = this.#retried.first?.request ?? this.#fresh.first?.request;
    if (request !== undefined) this.#leave(request);
    return request;
  }

  takeAll(): readonly T[] {
    const all: T[] = [];
    for (let next = this.take(); next !== undefined; next = this.take()) all.push(next);
    return all;
  }

  /** The next one that may find out whether a worker comes up, past those that may not. */
  takeProving(): T | undefined {
    for (const { request, mayProve } of this.#fresh) {
      if (mayProve && this.#leave(request)) return request;
    }
    return undefined;
  }

  /** False if the request does not wait here. */
  withdraw(request: T): boolean {
    if (!this.#leave(request)) return false;
    this.#onWithdrawn();
    return true;
  }

  /** Other bounds, for those that wait as well. Nobody is sent away for the length, only for the time. */
  configure(lengthMax: number, timeoutMs: number): void {
    this.#lengthMax = lengthMax;
    if (timeoutMs === this.#timeoutMs) return;
    this.#timeoutMs = timeoutMs;
    this.#alarm.disarm();
    this.#arm();
  }

  close(): void {
    this.#alarm.disarm();
  }

  #join(request: T, list: LinkedList<Waiting<T>>, mayProve: boolean): void {
    const ticket = new ListNode({ request, sinceMs: this.#clock.now(), queue: this, mayProve });
    this.#tickets.set(request, ticket);
    list.append(ticket);
    this.#arm();
  }

  #leave(request: T): boolean {
    const ticket = this.#tickets.get(request);
    if (ticket?.value.queue !== this) return false;
    this.#tickets.delete(request);
    ticket.list?.remove(ticket);
    return true;
  }

  #oldestSinceMs(): number {
    return Math.min(
      this.#retried.first?.sinceMs ?? Infinity,
      this.#fresh.first?.sinceMs ?? Infinity,
    );
  }

  #arm(): void {
    const sinceMs = this.#oldestSinceMs();
    if (sinceMs !== Infinity) this.#alarm.arm(sinceMs + this.#timeoutMs);
  }

  #expireAll(): void {
    this.#expire(this.#retried);
    this.#expire(this.#fresh);
    this.#arm();
  }

  #expire(list: LinkedList<Waiting<T>>): void {
    const nowMs = this.#clock.now();
    for (const { request, sinceMs } of list) {
      if (sinceMs + this.#timeoutMs > nowMs) return;
      if (this.#leave(request)) this.#onDeadline(request);
    }
  }
}
