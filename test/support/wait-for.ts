// Waits for a condition, never for a time.
import { setTimeout as sleep } from 'node:timers/promises';

/** An emulated machine (scripts/vm.mjs) is many times slower, and says so. */
const PATIENCE = Math.max(1, Number(process.env['USHERD_TEST_PATIENCE'] ?? 1));

/** The first value that is neither undefined nor false; fails after `withinMs` naming what was waited for. */
export async function waitFor<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  withinMs = 10_000,
): Promise<T> {
  const untilMs = performance.now() + withinMs * PATIENCE;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > untilMs) throw new Error(`waited ${withinMs} ms for ${what}`);
    await sleep(5);
  }
}
