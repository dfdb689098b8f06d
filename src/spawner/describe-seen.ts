// What an application is started with, for people and programs that ask.
import type { Seen } from './visit.js';

/** Values of its environment are nobody's to see. */
export function describeSeen({ blueprint, input }: Pick<Seen, 'blueprint' | 'input'>): object {
  const { facts, runtime, protocol, concurrency, argv, manifestEnvironment } = blueprint;
  const { limits, ...rest } = facts;
  const { maxRequests } = blueprint;
  const environment = [...manifestEnvironment.keys()];
  const { directory } = input;
  const umask = blueprint.umask.toString(8).padStart(4, '0');
  const run = { runtime, protocol, concurrency, maxRequests };
  const found = { directory, ...run, umask, argv, environment };
  return { hasManifest: input.manifestText !== undefined, limits, ...found, ...rest };
}
