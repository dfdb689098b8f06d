// Which files of an application decide what runs there: when one of them changes, what runs is out of date.
import type { Config } from '../config/index.js';
import { LIMITS } from '../limits.js';
import type { Blueprint } from './blueprint.js';

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
