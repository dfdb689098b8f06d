// Whether a worker has taken its connection out of the accept queue: asked when a start deadline fires or a client leaves.
import fs from 'node:fs';
import { performance } from 'node:perf_hooks';
import { unpublishedName } from '../ipc/index.js';

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
/** The table has all sockets of the machine: for clients that leave, and can by the thousand, it is read for 1/20 of the time. */
const REST_FACTOR = 19;

interface Listed {
  /** Two: somebody has taken the same name in a mount namespace of his own, and nothing is to be believed of it. */
  listening: number;
  connecting: number;
}
const NOT_THERE: Listed = { listening: 0, connecting: 0 };

/** By bound name; those that were looked for and were not there among them. */
let listed = new Map<string, Listed>();
let isOldAtMs = -Infinity;

/**
 * connect(2) to a listening socket succeeds before accept(2), so a slow start and a slow first request look
 * alike from here. The kernel's list of sockets tells them apart: connections in the accept queue carry the
 * listening socket's name and are still "connecting". It is read when something has happened, never polled.
 */
export function isAccepted(socketPath: string): boolean {
  read();
  const { listening, connecting } = listed.get(unpublishedName(socketPath)) ?? NOT_THERE;
  return listening > 1 || (listening === 1 && connecting === 0);
}

/** The same asked the other way round, of what may be a moment old: what is not to be known is neither. */
export function isInQueue(socketPath: string): boolean {
  const name = unpublishedName(socketPath);
  if (performance.now() >= isOldAtMs || !listed.has(name)) read();
  const found = listed.get(name) ?? NOT_THERE;
  listed.set(name, found);
  return found.listening === 1 && found.connecting > 0;
}

function read(): void {
  const startedMs = performance.now();
  listed = new Map();
  for (const [, flags, state, name = ''] of text().matchAll(ROW)) {
    const found = listed.get(name) ?? { listening: 0, connecting: 0 };
    if (flags === LISTENS) found.listening += 1;
    else if (state === STATE_CONNECTING) found.connecting += 1;
    listed.set(name, found);
  }
  const endedMs = performance.now();
  isOldAtMs = endedMs + REST_FACTOR * (endedMs - startedMs);
}

function text(): string {
  try {
    return fs.readFileSync(TABLE, 'latin1');
  } catch {
    return ''; // not to be known: the start deadline holds
  }
}
