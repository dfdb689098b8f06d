// How long a scrape takes with many applications, and how long requests wait for it. Run: node dist/bench/metrics.js [applications]
import type { AppFacts } from '../src/ipc/index.js';
import { PoolSet, systemClock } from '../src/pool/index.js';
import { AppRegistry } from '../src/router/app-registry.js';
import { groupsOf } from '../src/router/metrics/groups.js';
import { metricsText } from '../src/router/metrics/text.js';
import type { RequestFace } from '../src/router/request-types.js';
import { takeScene } from '../src/router/scene.js';
import { TEST_FACTS } from '../test/support/fake-supervisor.js';

const APPS_COUNT = Number(process.argv[2] ?? 5_000);
const APPS_PER_USER = 5;
const ROUNDS = 5;

/** Of this process: what else the machine does is left out. */
const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};

const OUTCOME = { status: 200, bodyBytes: 1_000, waitMs: 3, durationMs: 42, code: undefined };

function crowd(): { readonly registry: AppRegistry; readonly pools: PoolSet<RequestFace> } {
  const registry = new AppRegistry('/run/usherd');
  const ignore = (): void => undefined;
  const callbacks = { need: ignore, assign: ignore, refuse: ignore, retire: ignore };
  const pools = new PoolSet<RequestFace>({ clock: systemClock, maxWorkers: APPS_COUNT, callbacks });
  for (let at = 0; at < APPS_COUNT; at += 1) {
    const user = `user${Math.floor(at / APPS_PER_USER)}`;
    const facts: AppFacts = { ...TEST_FACTS, app: `${user}/app${at}` };
    const app = registry.obtain(facts.app);
    app.facts = facts;
    app.figures.ended(OUTCOME);
    app.figures.ended({ ...OUTCOME, status: 503, durationMs: 2_000 });
    app.figures.failed('E_QUEUE_FULL');
    app.figures.started(80);
    app.figures.exited('idle');
    pools.configure(facts.app, 'php', user, { ...facts.limits, maxWorkersPerUser: 8 });
  }
  return { registry, pools };
}

const parts = {
  ...crowd(),
  counters: {
    ...{ frontConnections: 0, connectionsRefused: 0, requestsActive: 0 },
    ...{ requestsTotal: 0, protocolErrors: 0, retries: 0 },
  },
  bufferedBytes: () => 0,
  spooledBytes: () => 0,
  connectionsMax: () => 8_192,
};

for (const detail of ['app', 'user', 'total'] as const) {
  const times: number[] = [];
  let bytes = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    bytes = 0;
    const startMs = cpuMs();
    const scene = await takeScene(parts, { workers: new Map(), machine: undefined });
    const groups = groupsOf(scene, detail);
    for await (const piece of metricsText({ scene, groups, version: 'bench' }))
      bytes += piece.length;
    times.push(cpuMs() - startMs);
  }
  times.sort((one, other) => one - other);
  const median = times[Math.floor(ROUNDS / 2)] ?? 0;
  process.stdout.write(
    `${detail}: ${APPS_COUNT} applications, ${(bytes / 1e6).toFixed(1)} MB, ` +
      `${median.toFixed(0)} ms of processor time (${(times[0] ?? 0).toFixed(0)}–${(times.at(-1) ?? 0).toFixed(0)})\n`,
  );
}
process.exitCode = 0;
parts.pools.close();
