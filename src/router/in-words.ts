// A pool refuses by a code alone; what the supervisor said with it, rule and remedy among it, is kept with the application.
import type { AppRegistry } from './app-registry.js';
import type { Refusal, RequestFace } from './request-types.js';
import { runtimesFor } from './roles.js';
import { poolRuntime } from './route.js';
import type { RuntimeTable } from './script.js';

export function inWords(
  refusal: Refusal,
  { role, resolution }: RequestFace,
  registry: AppRegistry,
  runtimes: RuntimeTable,
): Refusal {
  const app = registry.app(resolution.app);
  if (app?.facts === undefined) return refusal;
  return app.inWords(poolRuntime(resolution, app.facts, runtimesFor(role, runtimes)), refusal);
}
