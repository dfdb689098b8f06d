// Whether a worker has taken its connection out of the accept queue: asked when a start deadline fires or a client leaves.
import fs from 'node:fs';
import { performance } from 'node:perf_hooks';

/** Of our own network namespace, which has to be the workers'. Below /proc/self, so that it is there with subset=pid. */
const TABLE = '/proc/self/net/unix';
/** Its columns "St" and "Path", of sockets with the names that the supervisor binds workers' with, before it renames them. */
const ROW = /^(?:\S+ +){5}(\S+) +\S+ (\/.*\.tmp)$/gm;
/** `St` of a connection that nobody has accepted (SS_CONNECTING, <linux/net.h>). */
const STATE_CONNECTING = '02';
/** The table has all sockets of the machine: for clients that leave, and can by the thousand, it is read for 1/20 of the time. */
const REST_FACTOR = 19;

/** By bound name: whether a connection waits there; undefined for a name that was looked for and was not there. */
let waiting = new Map<string, boolean | undefined>();
let isOldAtMs = -Infinity;

/**
 * connect(2) to a listening socket succeeds before accept(2), so a slow start and a slow first request look
 * alike from here. The kernel's list of sockets tells them apart: connections in the accept queue carry the
 * listening socket's name and are still "connecting". It is read when something has happened, never polled.
 */
export function isAccepted(socketPath: string): boolean {
  read();
  return waiting.get(boundName(socketPath)) === false;
}

/** The same asked the other way round, of what may be a moment old: what is not to be known is neither. */
export function isInQueue(socketPath: string): boolean {
  const bound = boundName(socketPath);
  if (performance.now() >= isOldAtMs || !waiting.has(bound)) read();
  if (!waiting.has(bound)) waiting.set(bound, undefined);
  return waiting.get(bound) === true;
}

const boundName = (socketPath: string): string => socketPath.replace(/sock$/, 'tmp');

function read(): void {
  const startedMs = performance.now();
  waiting = new Map();
  for (const [, state, name = ''] of text().matchAll(ROW)) {
    waiting.set(name, waiting.get(name) === true || state === STATE_CONNECTING);
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
