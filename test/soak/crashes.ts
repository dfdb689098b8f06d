// Workers that die after each answer, as many as can be started: nothing of them stays, and neither process grows.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { compile } from '../support/compile.js';
import { FrontClient } from '../support/front-client.js';
import { HostileHost } from '../support/hostile-host.js';
import {
  formatSight,
  SoakStage,
  type ProcessSight,
  type Scenario,
  type Sight,
} from '../support/soak-stage.js';
import { waitFor } from '../support/wait-for.js';

/** usherd itself starts no more than four a second for one user, and one for one application. */
const SCALE = {
  full: { users: 16, apps: 4, warmS: 60, seconds: 600, perSMin: 50 },
  short: { users: 2, apps: 2, warmS: 1, seconds: 4, perSMin: 1 },
} as const;

const GROWTH_MAX_MIB = 16;
const DESCRIPTORS_MAX = 16;
const SAMPLE_MS = 10_000;

const PROCESSES = ['supervisor', 'router'] as const;

const isSettled = (before: ProcessSight, now: ProcessSight): boolean =>
  now.zombies === 0 && now.descriptors - before.descriptors <= DESCRIPTORS_MAX;

export const crashes: Scenario = {
  name: 'crashes',
  promise: 'workers that die again and again leave nothing behind',
  async run(scale, report) {
    const { users, apps, warmS, seconds, perSMin } = SCALE[scale];
    const stage = await SoakStage.open({ users });
    try {
      const { usherd } = stage;
      const names = usherd.users.flatMap(({ name }) =>
        Array.from({ length: apps }, (_, n) => `${name}/app${n}`),
      );
      const dies = join(usherd.directory, 'dies');
      compile('workers/dies-after-answer.c', dies);
      for (const app of names) usherd.write(app, 'app.fcgi', readFileSync(dies), 0o755);
      const state = { isOver: false };
      const statuses = new Map<string, number>();
      const asking = Promise.all(names.map((app) => keepDying(stage, app, state, statuses)));
      await sleep(warmS * 1000);
      const before = stage.look();
      const crashedBefore = await crashedCount(stage);
      const startedMs = performance.now();
      const sights: Sight[] = [];
      let processesMax = 0;
      while (performance.now() - startedMs < seconds * 1000) {
        await sleep(Math.min(SAMPLE_MS, seconds * 250));
        sights.push(stage.look());
        processesMax = Math.max(processesMax, usherd.workerPids().length);
      }
      const perS =
        ((await crashedCount(stage)) - crashedBefore) / ((performance.now() - startedMs) / 1000);
      state.isOver = true;
      await asking;
      // What looks after the last that died is not done at once; what stays is growth.
      const after = await waitFor('the last that died to be reaped, and let go of', () => {
        const sight = stage.look();
        return PROCESSES.every((name) => isSettled(before[name], sight[name])) && sight;
      });
      report.figure('crashes', `${perS.toFixed(1)}/s for ${seconds} s`);
      report.figure(
        'answers',
        [...statuses].map(([what, count]) => `${count} x ${what}`).join(', '),
      );
      report.figure('before', formatSight(before));
      report.figure('after', formatSight(after));
      report.figure('processes of users, most', processesMax);
      report.expect(perS >= perSMin, `${perS} crashes a second`);
      report.expect(processesMax <= 2 * names.length, `${processesMax} processes of users`);
      for (const name of PROCESSES) {
        const zombies = Math.max(...sights.map((sight) => sight[name].zombies));
        // One that has just died may be seen before it is reaped; they must not become more.
        report.figure(`${name}: zombies, most`, zombies);
        report.expect(zombies <= names.length, `${name}: ${zombies} zombies`);
        const grownMiB = after[name].rssMiB - before[name].rssMiB;
        report.expect(grownMiB <= GROWTH_MAX_MIB, `${name}: grown by ${grownMiB} MiB`);
      }
    } finally {
      await stage.close(); // waits until no process of a user is left
    }
  },
};

async function keepDying(
  { usherd }: SoakStage,
  app: string,
  state: { readonly isOver: boolean },
  statuses: Map<string, number>,
): Promise<void> {
  const client = await FrontClient.connect(usherd.frontSocket);
  const params = HostileHost.params(usherd.root, app);
  while (!state.isOver) {
    client.send(1, params);
    await client.ended(1, 60_000);
    const head = Buffer.concat(client.answer(1).stdout).toString('latin1');
    const what = /^Status: (\d+)/m.exec(head)?.[1] ?? '200';
    const reason = /^X-Usherd-Reason: (\S+)/m.exec(head)?.[1] ?? '';
    const key = `${what} ${reason}`.trim();
    statuses.set(key, (statuses.get(key) ?? 0) + 1);
    if (what !== '200') await sleep(50);
  }
  client.close();
}

async function crashedCount(stage: SoakStage): Promise<number> {
  const status = (await stage.tell({ command: 'status' })) as { counters: { crashed: number } };
  return status.counters.crashed;
}
