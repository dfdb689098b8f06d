// Hands out the slots for workers: within application < user < total, in turn, with idle workers making room for others.
import { Account, Slot, type Stamp } from './account.js';
import type { Clock } from './clock.js';
import { reserveOf, yields } from './pool-policy.js';

/** What speaks for and against a worker that is free. */
export interface Claims {
  /** Its own pool has a request for it. */
  readonly isWanted: boolean;
  /** A newer edition of its application is to replace it. */
  readonly isOutdated: boolean;
}

export class Slots {
  readonly total: Account;
  readonly #clock: Clock;
  /** Leaves that are short of slots; most of the time there are none, and then a release costs nothing more. */
  #shortCount = 0;

  constructor(maxWorkers: number, clock: Clock) {
    this.total = new Account({ max: maxWorkers, reserve: reserveOf(maxWorkers) });
    this.#clock = clock;
  }

  /** Takes one slot if there is room for it. */
  take(leaf: Account, stamp: Stamp): Slot | undefined {
    return this.#blockedAt(leaf) === undefined ? this.claim(leaf, stamp) : undefined;
  }

  /** The leaf waits for so many slots that it could not take; idle workers of others are retired to make room. */
  await(leaf: Account, count: number): void {
    if (count === 0 && leaf.short === 0) return;
    this.#setShort(leaf, count);
    this.#settle(leaf, false);
    this.#makeRoom(leaf);
  }

  /** Takes one slot whatever the limits say: the worker exists already. */
  claim(leaf: Account, stamp: Stamp): Slot {
    leaf.count += 1;
    for (const account of leaf.above) account.count += 1;
    this.#settle(leaf, true);
    return new Slot(leaf, this.#clock.now(), stamp);
  }

  /** The worker is gone. Those who wait are served before this returns, the one who was promised the slot first. */
  release(slot: Slot): void {
    this.busy(slot);
    slot.leaf.count -= 1;
    for (const account of slot.leaf.above) {
      account.count -= 1;
      if (slot.isStopping) account.stopping -= 1;
    }
    const promisedTo = slot.promisedTo;
    if (promisedTo !== undefined) promisedTo.promised -= 1;
    this.#settle(slot.leaf, false);
    if (promisedTo !== undefined && promisedTo.short > 0) promisedTo.tenant?.plan();
    this.serve();
  }

  /** The supervisor was told to stop the worker, which is not idle any more. */
  stopping(slot: Slot): void {
    slot.isStopping = true;
    for (const account of slot.leaf.above) account.stopping += 1;
  }

  /** The worker does nothing now, and may be retired for others. */
  idle(slot: Slot): void {
    const { above } = slot.leaf;
    for (let index = 0; index < above.length; index += 1) {
      const place = slot.idlePlaces[index];
      if (place !== undefined) above[index]?.idle.append(place);
    }
  }

  /** The worker does something, or must not be retired. */
  busy(slot: Slot): void {
    for (const place of slot.idlePlaces) place.list?.remove(place);
  }

  /**
   * Whether the worker in this slot, free at this moment, has to go: because a limit was lowered, or because somebody
   * waits for the slot who then has the promise of it.
   */
  mustYield(slot: Slot, has: Claims): boolean {
    const { leaf } = slot;
    if (leaf.tenant?.canSpare(slot) !== true) return false;
    if (leaf.above.some((account) => account.isOver)) return true;
    const waiter = this.#shortCount > 0 ? this.#contender(leaf, has) : undefined;
    if (waiter === undefined) return false;
    promise(slot, waiter);
    return true;
  }

  /** After a limit was raised or lowered. */
  setMax(account: Account, max: number): void {
    if (account.max === max) return;
    account.max = max;
    if (account.parent === undefined) account.reserve = reserveOf(max);
    account.settle(false);
    account.parent?.settle(false);
    while (account.isOver) {
      const victim = this.#victim(account);
      if (victim === undefined) break;
      victim.leaf.tenant?.evict(victim);
    }
    this.serve();
  }

  /**
   * Somebody of whom nothing is known yet, and who has no account to wait with, found no room: the longest idle worker
   * goes, unless one is on its way out already.
   */
  yieldOne(account: Account): void {
    const victim = account.stopping > 0 ? undefined : this.#victim(account);
    victim?.leaf.tenant?.evict(victim);
  }

  /** Forgets an account that holds nothing. */
  close(leaf: Account): void {
    this.#setShort(leaf, 0);
    this.#settle(leaf, false);
  }

  /** Gives free slots to those who wait, in turn. */
  serve(): void {
    for (;;) {
      const leaf = this.#nextLeaf();
      if (leaf === undefined) return;
      const countBefore = this.total.count;
      const shortBefore = leaf.short;
      leaf.tenant?.plan();
      // It took a slot or waits for fewer; anything else would turn for ever.
      if (this.total.count === countBefore && leaf.short >= shortBefore) return;
    }
  }

  #nextLeaf(): Account | undefined {
    let account: Account | undefined = this.#shortCount > 0 ? this.total : undefined;
    while (account !== undefined && account.tenant === undefined) account = account.nextServed;
    return account;
  }

  /** The lowest account that has no room for the leaf. */
  #blockedAt(leaf: Account): Account | undefined {
    let child = leaf;
    for (const account of leaf.above) {
      if (!account.hasRoomFor(child)) return account;
      child = account;
    }
    return undefined;
  }

  /** Retires the longest idle workers below the account that has no room, one for each slot that is short. */
  #makeRoom(leaf: Account): void {
    while (leaf.promised < leaf.short) {
      const account = this.#blockedAt(leaf);
      const victim = account === undefined ? undefined : this.#victim(account);
      if (victim === undefined) return;
      promise(victim, leaf);
      victim.leaf.tenant?.evict(victim);
    }
  }

  /** The longest idle worker that may go. Those that may not are left out until they are idle the next time. */
  #victim(account: Account): Slot | undefined {
    for (;;) {
      const slot = account.idle.first;
      if (slot === undefined || slot.leaf.tenant?.canSpare(slot) === true) return slot;
      this.busy(slot);
    }
  }

  /** The leaf for which a free worker of this leaf is to go. */
  #contender(leaf: Account, has: Claims): Account | undefined {
    // A pool waits for a slot of its own only to renew the worker in it.
    if (has.isOutdated && leaf.promised < leaf.short) return leaf;
    let child = leaf;
    for (const account of leaf.above) {
      const rival = account.firstWaitingBesides(child);
      const waiter = leafBelow(rival);
      if (rival !== undefined && waiter !== undefined && waiter.promised < waiter.short) {
        const contest = {
          held: child.count,
          waitersHeld: rival.count,
          waitedMs: this.#clock.now() - waiter.shortSinceMs,
          isWanted: has.isWanted,
        };
        if (yields(contest)) return waiter;
      }
      child = account;
    }
    return undefined;
  }

  #setShort(leaf: Account, short: number): void {
    if (leaf.short === 0 && short > 0) {
      leaf.shortSinceMs = this.#clock.now();
      this.#shortCount += 1;
    } else if (leaf.short > 0 && short === 0) {
      this.#shortCount -= 1;
    }
    leaf.short = short;
  }

  #settle(leaf: Account, toBack: boolean): void {
    leaf.settle(toBack);
    for (const account of leaf.above) account.settle(toBack);
  }
}

function promise(slot: Slot, waiter: Account): void {
  slot.promisedTo = waiter;
  waiter.promised += 1;
}

/** The leaf that waits longest below an account in line. */
function leafBelow(account: Account | undefined): Account | undefined {
  let found = account;
  while (found !== undefined && found.tenant === undefined) {
    found = found.firstWaitingBesides(undefined);
  }
  return found;
}
