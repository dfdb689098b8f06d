// How many front connections the router's descriptors are enough for: without one left it could not reach any worker.
import { readFileSync } from 'node:fs';
import { LIMITS } from '../limits.js';
import type { Logger } from '../log.js';

/** RLIMIT_NOFILE of this process; Infinity where it cannot be read. */
function descriptorsMax(): number {
  try {
    const found = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'));
    return Number(found?.[1] ?? Infinity);
  } catch {
    return Infinity;
  }
}

export interface ConnectionBound {
  readonly connectionsMax: number;
  readonly descriptorsMax: number;
}

/** What is configured, or less. */
export function connectionBound(
  configured: number,
  descriptors = descriptorsMax(),
): ConnectionBound {
  const affordable = Math.max(1, Math.floor(descriptors * LIMITS.frontDescriptorsShare));
  return { connectionsMax: Math.min(configured, affordable), descriptorsMax: descriptors };
}

/** The same, said where it is less. */
export function connectionsFor(configured: number, log: Logger): number {
  const { connectionsMax, descriptorsMax } = connectionBound(configured);
  if (connectionsMax < configured) {
    const fields = { connectionsMax, configured, descriptorsMax };
    log.warn(fields, 'fewer front connections than configured: raise LimitNOFILE (ulimit -n)');
  }
  return connectionsMax;
}
