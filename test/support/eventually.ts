// Waiting for a condition, and never for a time.
import { setTimeout as delay } from 'node:timers/promises';

/** Resolves as soon as `condition` gives something truthy. @throws after the deadline, naming what was waited for */
export async function eventually<T>(
  what: string,
  condition: () => T | Promise<T>,
  deadlineMs = 10_000,
): Promise<NonNullable<T>> {
  const endMs = Date.now() + deadlineMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > endMs) throw new Error(`waited ${deadlineMs} ms in vain: ${what}`);
    await delay(10);
  }
}
