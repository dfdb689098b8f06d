// All that metrics and the status page show, looked at once: applications with their figures, pools and use of the machine.
import { setImmediate as turn } from 'node:timers/promises';
import type { PoolDescription, PoolSet } from '../pool/index.js';
import type { AppRegistry } from './app-registry.js';
import type { Application } from './application.js';
import type { RouterCounters } from './context.js';
import type { Figures } from './figures.js';
import type { RequestFace } from './request-types.js';
import type { Usage } from './usage.js';

export interface SceneParts {
  readonly registry: AppRegistry;
  readonly pools: PoolSet<RequestFace>;
  readonly counters: RouterCounters;
  readonly bufferedBytes: () => number;
  readonly spooledBytes: () => number;
  readonly connectionsMax: () => number;
}

export interface AppScene {
  readonly app: Application;
  readonly user: string;
  readonly figures: Figures;
  /** One for each runtime that it uses at present. */
  readonly pools: readonly PoolDescription[];
  readonly waiting: number;
  readonly rssBytes: number;
  readonly cpuPermille: number;
}

export interface Scene {
  readonly apps: readonly AppScene[];
  /** Requests that led to no application. */
  readonly elsewhere: Figures;
  /** Requests that wait until somebody has looked whether there is such an application. */
  readonly waitingElsewhere: number;
  readonly counters: Readonly<RouterCounters>;
  readonly bufferedBytes: number;
  readonly spooledBytes: number;
  readonly connectionsMax: number;
  readonly usage: Usage;
}

/** All that wait for a worker. */
export const waitingIn = ({ apps, waitingElsewhere }: Scene): number =>
  apps.reduce((sum, { waiting }) => sum + waiting, waitingElsewhere);

const NO_POOLS: readonly PoolDescription[] = [];

/** So many are looked at in one turn of the event loop: about a millisecond. */
const TURN_COUNT = 250;

/** Names that led nowhere are not in it: anybody can make them up. */
export async function takeScene(parts: SceneParts, usage: Usage): Promise<Scene> {
  const { registry, counters } = parts;
  const pools = await poolsByApp(parts.pools);
  const apps: AppScene[] = [];
  let waitingElsewhere = 0;
  for (const app of [...registry.apps()]) {
    const own = pools.get(app.id) ?? NO_POOLS;
    if (app.facts === undefined && own.length === 0) {
      waitingElsewhere += app.pending.size;
      continue;
    }
    apps.push(appScene(app, registry.figuresOf(app), own, usage));
    if (apps.length % TURN_COUNT === 0) await turn();
  }
  return {
    ...{ apps, usage, elsewhere: registry.elsewhere, counters: { ...counters } },
    waitingElsewhere,
    bufferedBytes: Math.max(0, parts.bufferedBytes()),
    spooledBytes: parts.spooledBytes(),
    connectionsMax: parts.connectionsMax(),
  };
}

async function poolsByApp(
  pools: PoolSet<RequestFace>,
): Promise<ReadonlyMap<string, readonly PoolDescription[]>> {
  const byApp = new Map<string, PoolDescription[]>();
  let count = 0;
  for (const pool of pools.describe()) {
    count += 1;
    if (count % TURN_COUNT === 0) await turn();
    const others = byApp.get(pool.app);
    if (others === undefined) byApp.set(pool.app, [pool]);
    else others.push(pool);
  }
  return byApp;
}

function appScene(
  app: Application,
  figures: Figures,
  pools: readonly PoolDescription[],
  usage: Usage,
): AppScene {
  let waiting = app.pending.size;
  let rssBytes = 0;
  let cpuPermille = 0;
  for (const { queue, workers } of pools) {
    waiting += queue;
    for (const { worker } of workers) {
      const used = usage.workers.get(worker);
      rssBytes += used?.rssBytes ?? 0;
      cpuPermille += used?.cpuPermille ?? 0;
    }
  }
  const { user } = app;
  return { app, user, figures, pools, waiting, rssBytes, cpuPermille };
}
