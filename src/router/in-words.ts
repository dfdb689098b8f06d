// A pool refuses by a code alone. What the supervisor said with it, rule and remedy among it, is kept with the application; how full it is, the pool knows.
import type { PoolSet } from '../pool/index.js';
import type { AppRegistry } from './app-registry.js';
import { crowdWords, type InFlight } from './crowd-words.js';
import { requestLine } from './request-line.js';
import type { Refusal, RequestFace } from './request-types.js';
import { runtimesFor } from './roles.js';
import { poolRuntime } from './route.js';
import type { RuntimeTable } from './script.js';

export interface Witnesses {
  readonly registry: AppRegistry;
  readonly pools: PoolSet<RequestFace>;
}

export function inWords(
  refusal: Refusal,
  { role, resolution }: RequestFace,
  { registry, pools }: Witnesses,
  runtimes: RuntimeTable,
): Refusal {
  const app = registry.app(resolution.app);
  if (app?.facts === undefined) return refusal;
  const runtime = poolRuntime(resolution, app.facts, runtimesFor(role, runtimes));
  const told = app.inWords(runtime, refusal);
  const isAboutOther = told.rule !== undefined && !told.rule.startsWith('max-workers');
  const crowd = isAboutOther ? undefined : pools.crowd(app.id, runtime);
  if (crowd === undefined) return told;
  const inFlight = crowd.ids.flatMap((id) => oldestOf(registry, id));
  return { ...told, ...crowdWords(refusal.code, crowd, app.facts, inFlight) };
}

/** Of a worker's requests the one that it has had longest. */
function oldestOf(registry: AppRegistry, worker: string): readonly InFlight[] {
  const [oldest] = registry.worker(worker)?.requests ?? [];
  if (oldest === undefined) return [];
  return [{ line: requestLine(oldest), ageMs: performance.now() - oldest.startedMs }];
}
