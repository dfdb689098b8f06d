// Which files decide what runs in an application, its own and the system's: when one of them changes, what runs is out of date.
import type { Config } from '../config/index.js';
import { LIMITS } from '../limits.js';
import { checkTool } from '../privdrop/index.js';
import type { Blueprint } from './blueprint.js';
import { servicesOf } from './walls.js';

/**
 * Markers of entry runtimes, and the program itself where it lies in the application. Scripts are read at each request.
 * A command is a tenant's, and each of its components a descriptor that root opens at every look: of long ones the first words
 * count.
 */
export function entryNames(config: Config, blueprint: Blueprint): readonly string[] {
  const names = new Set<string>();
  for (const runtime of config.runtimes.values()) {
    if (runtime.kind === 'entry') for (const marker of runtime.markers) names.add(marker);
  }
  let steps = 0;
  for (const word of blueprint.argv.filter(isBelow)) {
    steps += word.split('/').length - 1;
    if (steps > LIMITS.changeStepsMaxCount) break;
    names.add(word.slice(2));
  }
  return [...names];
}

const isBelow = (word: string): boolean => word.startsWith('./') && !word.split('/').includes('..');

/**
 * The program where it is the system's: an upgrade puts another file in its place. Only one that nobody but root can exchange, and
 * of an application with scripts beside its program that of whichever is started first.
 */
export function systemProgram({ argv: [program = ''] }: Blueprint): readonly string[] {
  if (!program.startsWith('/')) return [];
  try {
    return checkTool(program) === undefined ? [program] : [];
  } catch {
    return []; // not there, which the launcher says
  }
}

/** What of the system's has to be the same file as long as a worker runs. */
export const systemFiles = (blueprint: Blueprint): readonly string[] => [
  ...servicesOf(blueprint),
  ...systemProgram(blueprint),
];
