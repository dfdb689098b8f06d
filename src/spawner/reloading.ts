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
  for (const [app, blueprint] of outdated(operations, settings.config, describe)) {
    // Before the first new worker: a router that still counts on more workers than there may be now asks in vain for it.
    if (blueprint !== undefined) operations.link.tellFacts(app, blueprint.facts);
    operations.restart(app, 'config');
  }
  if (isChanged) operations.forgiveAll();
}

/** Applications whose files, read again with this configuration, give another blueprint, or none any more. */
function outdated(
  operations: Operations,
  config: Config,
  describe: Describe,
): ReadonlyMap<string, Blueprint | undefined> {
  const apps = new Map<string, Blueprint | undefined>();
  for (const { process, blueprint, input } of operations.workers.running) {
    const description = describe(config, input);
    const now = description.ok ? description.blueprint : undefined;
    if (now === undefined || text(now) !== text(blueprint)) apps.set(process.owner.app, now);
  }
  return apps;
}

const text = (blueprint: Blueprint): string =>
  JSON.stringify({ ...blueprint, manifestEnvironment: [...blueprint.manifestEnvironment] });
