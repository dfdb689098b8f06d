// After a new configuration: who has to hear of it, and which applications would now be run differently.
import type { Config } from '../config/index.js';
import type { Blueprint, Describe } from './blueprint.js';
import type { Operations } from './operations.js';
import type { Settings } from './settings.js';

/** Swaps, and touches only what the change concerns. */
export function applyConfig(
  operations: Operations,
  settings: Settings,
  describe: Describe,
  config: Config,
): void {
  const isChanged = config.digest !== settings.config.digest;
  const before = new Set(operations.suspensions.all(settings.config));
  settings.swap(config);
  const after = new Set(operations.suspensions.all(settings.config));
  for (const user of after) if (!before.has(user)) operations.enforceSuspension(user);
  for (const user of before) {
    if (!after.has(user)) operations.link.send({ type: 'resumed', user });
  }
  for (const app of outdated(operations, settings.config, describe)) {
    operations.restart(app, 'config');
  }
  if (isChanged) operations.forgiveAll();
}

/** Applications whose files, read again with this configuration, give another blueprint. */
function outdated(operations: Operations, config: Config, describe: Describe): ReadonlySet<string> {
  const apps = new Set<string>();
  for (const { process, blueprint, input } of operations.workers.running) {
    const description = describe(config, input);
    if (!description.ok || text(description.blueprint) !== text(blueprint)) {
      apps.add(process.owner.app);
    }
  }
  return apps;
}

const text = (blueprint: Blueprint): string =>
  JSON.stringify({ ...blueprint, manifestEnvironment: [...blueprint.manifestEnvironment] });
