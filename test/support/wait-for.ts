// Waits for a condition, never for a time.
import { setTimeout as sleep } from 'node:timers/promises';

/** The first value that is neither undefined nor false; fails after `withinMs` naming what was waited for. */
export async function waitFor<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  withinMs = 10_000,
): Promise<T> {
  const untilMs = performance.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > untilMs) throw new Error(`waited ${withinMs} ms for ${what}`);
    await sleep(5);
  }
}
