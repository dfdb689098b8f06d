// Five thousand applications of five hundred users that are all idle cost no worker, little memory, and no time.
import { FrontClient, parseCgi } from '../support/front-client.js';
import { HostileHost } from '../support/hostile-host.js';
import { perlWorker } from '../support/perl-worker.js';
import type { Scenario } from '../support/soak-stage.js';
import { askSupervisor } from '../../src/cli/control-client.js';
import { join } from 'node:path';
import { togetherMiB, UsherdRun, type TestUser } from '../support/usherd-run.js';
import { waitFor } from '../support/wait-for.js';

const SCALE = {
  full: { users: 500, appsPerUser: 10 },
  short: { users: 20, appsPerUser: 2 },
} as const;

const FIRST_UID = 54_001;
const ROUTER_UID = 53_999;
const MEMORY_MAX_MIB = 200;
const START_MAX_MS = 3_000;
const STATUS_MAX_MS = 1_000;
const ASKED_AT_ONCE = 16;
const PATIENCE_MS = 600_000;

export const manyApps: Scenario = {
  name: 'many-apps',
  promise: 'applications that nobody uses cost next to nothing',
  async run(scale, report) {
    const { users: usersCount, appsPerUser } = SCALE[scale];
    const users = Array.from({ length: usersCount }, (_, n): TestUser => ({
      name: `user${n}`,
      uid: FIRST_UID + n,
    }));
    const apps = users.flatMap(({ name }) =>
      Array.from({ length: appsPerUser }, (_, n) => `${name}/app${n}`),
    );
    const usherd = await UsherdRun.start(users, {
      routerUid: ROUTER_UID,
      more: '[limits]\nidle_timeout = "2s"',
      prepare: (run) => {
        for (const app of apps) run.write(app, 'app.fcgi', perlWorker('return "ok"'), 0o755);
      },
    });
    try {
      const memoryMiB = (): number =>
        togetherMiB([usherd.pidOf('supervisor'), usherd.pidOf('router')]);
      report.figure('memory at the start', `${memoryMiB().toFixed(0)} MiB`);
      const startedMs = performance.now();
      const statuses = await askAll(usherd, apps);
      const seconds = (performance.now() - startedMs) / 1000;
      report.figure('each asked once', `${apps.length} in ${seconds.toFixed(0)} s: ${statuses}`);
      report.expect(statuses === `${apps.length} x 200`, `answers: ${statuses}`);
      await waitFor('all to be idle', () => usherd.workerPids().length === 0, 60_000);
      report.figure('memory, all idle', `${memoryMiB().toFixed(0)} MiB`);
      report.expect(memoryMiB() < MEMORY_MAX_MIB, `${memoryMiB()} MiB`);
      const control = join(usherd.directory, 'run/control.sock');
      const askedMs = performance.now();
      const status = (await askSupervisor(control, { command: 'status' })) as { apps: unknown[] };
      const statusMs = performance.now() - askedMs;
      report.figure('status', `${status.apps.length} applications in ${statusMs.toFixed(0)} ms`);
      report.expect(statusMs < STATUS_MAX_MS, `status in ${statusMs} ms`);
      const programMs = performance.now();
      await usherd.status();
      report.figure('usherd status --json', `${(performance.now() - programMs).toFixed(0)} ms`);
      await usherd.halt();
      const againMs = performance.now();
      await usherd.run();
      const startMs = performance.now() - againMs;
      report.figure('start', `${startMs.toFixed(0)} ms`);
      // The short form runs beside other tests, which have the processors then.
      report.expect(scale === 'short' || startMs < START_MAX_MS, `start in ${startMs} ms`);
    } finally {
      await usherd.stop();
    }
  },
};

/** So many at once; counts of their statuses. */
async function askAll(usherd: UsherdRun, apps: readonly string[]): Promise<string> {
  const counts = new Map<string, number>();
  let next = 0;
  const askNext = async (): Promise<void> => {
    const client = await FrontClient.connect(usherd.frontSocket);
    for (let app = apps[next++]; app !== undefined; app = apps[next++]) {
      client.send(1, HostileHost.params(usherd.root, app));
      const { status, headers } = parseCgi(await client.ended(1, PATIENCE_MS));
      const what = `${status} ${headers.get('x-usherd-reason') ?? ''}`.trim();
      counts.set(what, (counts.get(what) ?? 0) + 1);
    }
    client.close();
  };
  await Promise.all(Array.from({ length: ASKED_AT_ONCE }, askNext));
  return [...counts].map(([what, count]) => `${count} x ${what}`).join(', ');
}
