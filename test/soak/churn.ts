// Requests go on while everything that can replace a worker does so at once: none of them may fail.
import { readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlRequest } from '../../src/cli/control-client.js';
import { keepAsking } from '../support/load.js';
import { formatSight, SoakStage, type Scenario } from '../support/soak-stage.js';

const SCALE = {
  full: {
    users: 8,
    requests: 100_000,
    clients: 64,
    gracefuls: 2,
    killEveryMs: 40, // some find no worker between two requests
    killsPerSMin: 10,
  },
  short: { users: 2, requests: 800, clients: 16, gracefuls: 1, killEveryMs: 100, killsPerSMin: 0 },
} as const;

/** Between two looks at which workers there are: killing is not to wait for an answer. */
const LOOK_MS = 50;

const PAGE = '<?php echo $_GET["n"], " ", posix_geteuid();';

/** A worker between two requests has no connection: only its listening socket and its log. */
function isBetweenRequests(pid: number): boolean {
  const sockets = readdirSync(`/proc/${pid}/fd`).filter(
    (fd) => Number(fd) > 2 && readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith('socket:'),
  );
  return sockets.length === 0;
}

/** Those that have answered: a worker that dies before its first answer has crashed, which is another promise. */
async function provenPids(stage: SoakStage): Promise<readonly number[]> {
  const { apps } = await stage.status();
  return apps.flatMap(({ workers }) =>
    workers.filter(({ requestsServed }) => requestsServed > 0).map(({ pid }) => pid),
  );
}

/** Stopped first, so that it cannot take a request between the look and the kill. */
function killBetweenRequests(pid: number): boolean {
  try {
    process.kill(pid, 'SIGSTOP');
    const isFree = isBetweenRequests(pid);
    process.kill(pid, isFree ? 'SIGKILL' : 'SIGCONT');
    return isFree;
  } catch {
    return false; // gone already
  }
}

export const churn: Scenario = {
  name: 'churn',
  promise: 'kills, max_requests, reloads, restarts and graceful restarts of Apache fail no request',
  async run(scale, report) {
    const { users, requests, clients, gracefuls, killEveryMs, killsPerSMin } = SCALE[scale];
    const stage = await SoakStage.open({ users, more: '[limits]\nmax_requests = 7' });
    const apps = stage.usherd.users.map(({ name }) => `${name}/blog`);
    try {
      for (const app of apps) stage.usherd.write(app, 'index.php', PAGE);
      const before = stage.look();
      let done = 0;
      let isOver = false;
      let pids: readonly number[] = [];
      const told = { kills: 0, reloads: 0, restarts: 0, gracefuls: 0 };
      const isDisturbed = (): boolean =>
        told.kills > 0 && told.restarts > 0 && told.gracefuls === gracefuls;
      const tell = async (request: ControlRequest): Promise<void> => {
        await stage.tell(request).catch((err: unknown) => report.problems.push(String(err)));
      };
      const kill = async (): Promise<void> => {
        for (let turn = 0; !isOver; turn += 1) {
          const start = (turn * 7) % Math.max(1, pids.length);
          const order = [...pids.slice(start), ...pids.slice(0, start)];
          if (order.some(killBetweenRequests)) told.kills += 1;
          await sleep(killEveryMs);
        }
      };
      const look = async (): Promise<void> => {
        while (!isOver) {
          pids = await provenPids(stage);
          await sleep(LOOK_MS);
        }
      };
      const command = async (): Promise<void> => {
        while (!isOver) {
          await tell({ command: 'reload' });
          told.reloads += 1;
          for (const app of apps) await tell({ command: 'restart', app });
          told.restarts += apps.length;
          const due = Math.floor((done * (gracefuls + 1)) / requests);
          if (due > told.gracefuls && told.gracefuls < gracefuls) {
            await stage.apache.graceful();
            told.gracefuls += 1;
          }
          await sleep(1_000);
        }
      };
      const startedMs = performance.now();
      const disturbances = [look(), kill(), command()];
      const result = await keepAsking(
        {
          port: stage.port,
          path: (n) => `/~user${n % users}/apps/blog/?n=${n}`,
          judge: (n, { status, headers, body }) => {
            done += 1;
            const wanted = `${n} ${stage.usherd.users[n % users]?.uid ?? 0}`;
            if (status === 200 && body.toString() === wanted) return undefined;
            return `${n}: ${status} ${String(headers['x-usherd-reason'] ?? body.toString().slice(0, 60))}`;
          },
        },
        clients,
        // A quick machine answers all of them before the last disturbance.
        (count) => count >= requests * (isDisturbed() ? 1 : 20),
      );
      isOver = true;
      const killsPerS = told.kills / ((performance.now() - startedMs) / 1_000);
      await Promise.all(disturbances);
      report.figure('requests', result);
      report.figure('disturbances', JSON.stringify(told));
      report.figure('kills', `${killsPerS.toFixed(1)}/s`);
      report.figure('before', formatSight(before));
      report.figure('after', formatSight(stage.look()));
      report.expect(result.failed === 0, `no failed request: ${result.failures.join('; ')}`);
      report.expect(killsPerS >= killsPerSMin, `${killsPerS} kills a second`);
      report.expect(isDisturbed(), `all disturbances: ${JSON.stringify(told)}`);
    } finally {
      await stage.close();
    }
  },
};
