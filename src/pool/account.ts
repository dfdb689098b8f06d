// Who holds how many slots: one account for each pool, application and user, and one for all, each below the next.
import { LinkedList, ListNode } from './linked-list.js';
import type { Fullness } from './pool-contract.js';
import { hasRoom } from './pool-policy.js';

/** The pool behind a leaf account. */
export interface Tenant {
  /** Look again what is needed: a slot may be free. */
  plan(): void;
  /** Whether a worker that does nothing may go for the sake of others. */
  canSpare(slot: Slot): boolean;
  /** Retire the worker in this slot, which does nothing. */
  evict(slot: Slot): void;
}

/** What a pool wants to remember about a start. */
export interface Stamp {
  /** Which edition of the application the worker runs; see Roster. */
  readonly edition: number;
  /** With which other starts it fails as one; see Backoff. */
  readonly batch: number;
}

/** Room for one worker, from the moment it is asked for until its process is gone. */
export class Slot {
  readonly leaf: Account;
  readonly takenAtMs: number;
  readonly stamp: Stamp;
  /** Its places among the idle of its application, its user and all. */
  readonly idlePlaces: readonly ListNode<Slot>[];
  /** Who gets it when its worker is gone. */
  promisedTo: Account | undefined = undefined;
  isStopping = false;

  constructor(leaf: Account, takenAtMs: number, stamp: Stamp) {
    this.leaf = leaf;
    this.takenAtMs = takenAtMs;
    this.stamp = stamp;
    this.idlePlaces = leaf.above.map(() => new ListNode<Slot>(this));
  }
}

export interface AccountOptions {
  readonly parent?: Account;
  readonly max: number;
  /** Slots that only children without any may take. */
  readonly reserve?: number;
  readonly tenant?: Tenant;
}

export class Account {
  readonly parent: Account | undefined;
  /** All accounts above this one, the nearest first. */
  readonly above: readonly Account[];
  readonly tenant: Tenant | undefined;
  max: number;
  reserve: number;
  /** Slots taken. */
  count = 0;
  /** Slots taken by workers that are being stopped. */
  stopping = 0;
  /** Idle workers, the longest idle first. */
  readonly idle = new LinkedList<Slot>();

  /** Of a leaf: slots that its pool waits for, since when, and how many are promised to it. */
  short = 0;
  shortSinceMs = 0;
  promised = 0;

  readonly #place: ListNode<Account>;
  /** Children that wait and have room of their own, longest wait first: those that hold nothing, and the others. */
  readonly #waitingWithout = new LinkedList<Account>();
  readonly #waitingWith = new LinkedList<Account>();

  constructor(options: AccountOptions) {
    this.parent = options.parent;
    this.above = options.parent === undefined ? [] : [options.parent, ...options.parent.above];
    this.tenant = options.tenant;
    this.max = options.max;
    this.reserve = options.reserve ?? 0;
    this.#place = new ListNode<Account>(this);
  }

  /** Whether a child may have one more slot of this account. */
  hasRoomFor(child: Account): boolean {
    return hasRoom(child.count, this.count, this.max, this.reserve);
  }

  /** More workers than allowed, after a limit was lowered. */
  get isOver(): boolean {
    return this.count - this.stopping > this.max;
  }

  /** The child that has waited longest, whether or not there is room for it; one child may be left out. */
  firstWaitingBesides(child: Account | undefined): Account | undefined {
    return firstBesides(this.#waitingWithout, child) ?? firstBesides(this.#waitingWith, child);
  }

  /** The child that comes next and for which there is room. */
  get nextServed(): Account | undefined {
    const without = this.#waitingWithout.first;
    if (without !== undefined && this.hasRoomFor(without)) return without;
    const other = this.#waitingWith.first;
    return other !== undefined && this.hasRoomFor(other) ? other : undefined;
  }

  get #isWaiting(): boolean {
    if (this.tenant !== undefined) return this.short > 0;
    const hasWaiting = this.#waitingWithout.length + this.#waitingWith.length > 0;
    return hasWaiting && this.count < this.max;
  }

  /** Takes the account into, or out of, the line of its parent; `toBack` after it was served. */
  settle(toBack: boolean): void {
    if (this.parent === undefined) return;
    const line = !this.#isWaiting
      ? undefined
      : this.count === 0
        ? this.parent.#waitingWithout
        : this.parent.#waitingWith;
    if (line === undefined) this.#place.list?.remove(this.#place);
    else if (toBack || this.#place.list !== line) line.append(this.#place);
  }
}

/** From the account of an application upward. */
const LEVELS = ['app', 'user', 'total'] as const;

/** Where a further worker of an application would be one too many. */
export function fullnessFor(app: Account): Fullness | undefined {
  let child = app;
  for (const [index, account] of [app, ...app.above].entries()) {
    const { count, max } = account;
    if (!account.hasRoomFor(child)) return { level: LEVELS[index] ?? 'total', count, max };
    child = account;
  }
  return undefined;
}

function firstBesides(line: LinkedList<Account>, child: Account | undefined): Account | undefined {
  return child !== undefined && line.first === child ? line.second : line.first;
}
