// Whether a worker has taken its connection out of the accept queue: asked when a start deadline fires or a client leaves.
import fs from 'node:fs';
import { performance } from 'node:perf_hooks';
import { unpublishedName } from '../ipc/index.js';
import { LIMITS } from '../limits.js';

/** Of our own network namespace, which has to be the workers'. Below /proc/self, so that it is there with subset=pid. */
const TABLE = '/proc/self/net/unix';
/**
 * Its columns "Flags", "St" and "Path", of sockets with names as the supervisor gives them. Exactly as the kernel writes a row:
 * one that a tenant has written into the name of a socket of his has no room for all of it.
 */
const ROW =
  /^[0-9a-f]{8,16}: [0-9A-F]{8} 00000000 ([0-9A-F]{8}) 0001 (0[0-9]) [ 0-9]{5,} (\/.*\.tmp)$/gm;
/** `Flags` of a socket that listens (__SO_ACCEPTCON, <linux/net.h>). */
const LISTENS = '00010000';
/** `St` of a connection that nobody has accepted (SS_CONNECTING, <linux/net.h>). */
const STATE_CONNECTING = '02';
/** For clients that leave, and can by the thousand, it is read for 1/20 of the time. */
const REST_FACTOR = 19;
/** For what has to be known now, this part of the time on top, and never more than acceptReadMaxMs ahead. */
const SHARE = 1 / (1 + REST_FACTOR);

interface Listed {
  /** Two: somebody has taken the same name in a mount namespace of his own, and nothing is to be believed of it. */
  listening: number;
  connecting: number;
}
const NOT_THERE: Listed = { listening: 0, connecting: 0 };

/**
 * The table has all sockets of the machine, and one user can make a quarter of a million: then to read it once takes a
 * second, in which nobody is served. So it is not read for long, and not often; what is not known then is neither.
 */
export class AcceptTable {
  /** By bound name; those that were looked for and were not there among them. */
  #listed = new Map<string, Listed>();
  #isOldAtMs = -Infinity;
  /** Of reading out of turn, as of `#creditAtMs`. */
  #creditMs: number = LIMITS.acceptReadMaxMs;
  #creditAtMs = 0;
  readonly #page = Buffer.alloc(LIMITS.acceptReadBytes);

  /**
   * connect(2) to a listening socket succeeds before accept(2), so a slow start and a slow first request look
   * alike from here. The kernel's list of sockets tells them apart: connections in the accept queue carry the
   * listening socket's name and are still "connecting". It is read when something has happened, never polled.
   */
  isAccepted(socketPath: string): boolean {
    this.#refresh(true);
    const { listening, connecting } = this.#listed.get(unpublishedName(socketPath)) ?? NOT_THERE;
    return listening > 1 || (listening === 1 && connecting === 0);
  }

  /** The same asked the other way round, of what may be a moment old: what is not to be known is neither. */
  isInQueue(socketPath: string): boolean {
    const name = unpublishedName(socketPath);
    this.#refresh(!this.#listed.has(name));
    const found = this.#listed.get(name) ?? NOT_THERE;
    this.#listed.set(name, found);
    return found.listening === 1 && found.connecting > 0;
  }

  /** `isUrgent`: even if it was read a moment ago. */
  #refresh(isUrgent: boolean): void {
    const startedMs = performance.now();
    const earnedMs = (startedMs - this.#creditAtMs) * SHARE;
    this.#creditMs = Math.min(LIMITS.acceptReadMaxMs, this.#creditMs + earnedMs);
    this.#creditAtMs = startedMs;
    const isOld = startedMs >= this.#isOldAtMs;
    if (!isOld && !(isUrgent && this.#creditMs > 0)) return;
    this.#listed = this.#read(startedMs + LIMITS.acceptReadMaxMs);
    const endedMs = performance.now();
    if (!isOld) this.#creditMs -= endedMs - startedMs;
    this.#isOldAtMs = endedMs + REST_FACTOR * (endedMs - startedMs);
  }

  /** Nothing where it cannot be read, or not in time: a part of it proves nothing, and the start deadline holds. */
  #read(untilMs: number): Map<string, Listed> {
    const listed = new Map<string, Listed>();
    const text = this.#textBy(untilMs) ?? '';
    for (const [, flags, state, name = ''] of text.matchAll(ROW)) {
      const found = listed.get(name) ?? { listening: 0, connecting: 0 };
      if (flags === LISTENS) found.listening += 1;
      else if (state === STATE_CONNECTING) found.connecting += 1;
      listed.set(name, found);
    }
    return listed;
  }

  #textBy(untilMs: number): string | undefined {
    let descriptor: number | undefined;
    try {
      descriptor = fs.openSync(TABLE, 'r');
      const pages: string[] = [];
      while (performance.now() < untilMs) {
        const count = fs.readSync(descriptor, this.#page); // the kernel gives one page at a time
        if (count === 0) return pages.join('');
        pages.push(this.#page.toString('latin1', 0, count));
      }
    } catch {
      // Not to be known.
    } finally {
      if (descriptor !== undefined) fs.closeSync(descriptor);
    }
    return undefined;
  }
}

const table = new AcceptTable();

export const isAccepted = (socketPath: string): boolean => table.isAccepted(socketPath);
export const isInQueue = (socketPath: string): boolean => table.isInQueue(socketPath);
