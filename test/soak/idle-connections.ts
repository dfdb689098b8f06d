// Two hundred connections of a web server that are kept and say nothing pin no worker: who comes next is served at once.
import { HostileHost } from '../support/hostile-host.js';
import { FrontClient } from '../support/front-client.js';
import { SoakStage, type Scenario } from '../support/soak-stage.js';

const SCALE = { full: { kept: 200, asked: 500 }, short: { kept: 200, asked: 20 } } as const;
const AT_ONCE_MS = 50;
const APP = 'user0/site';
const LIMITS = '[limits]\nmax_workers_per_app = 2\nmax_workers_per_user = 2';

export const idleConnections: Scenario = {
  name: 'idle-connections',
  promise: 'kept connections that are idle pin no worker',
  async run(scale, report) {
    const { kept, asked } = SCALE[scale];
    const stage = await SoakStage.open({ users: 1, more: LIMITS });
    const clients: FrontClient[] = [];
    try {
      const { usherd } = stage;
      usherd.write(APP, 'index.php', '<?php echo "ok";');
      const params = HostileHost.params(usherd.root, APP, { rest: '/index.php' });
      for (let n = 0; n < kept; n += 1) {
        const client = await FrontClient.connect(usherd.frontSocket);
        clients.push(client);
        const { status } = await client.fetch(params);
        report.expect(status === 200, `kept connection ${n}: ${status}`);
      }
      const waitedMs: number[] = [];
      for (let n = 0; n < asked; n += 1) {
        const startedMs = performance.now();
        const { status } = await HostileHost.ask(usherd, APP, usherd.frontSocket, {
          rest: '/index.php',
        });
        waitedMs.push(performance.now() - startedMs);
        report.expect(status === 200, `new connection ${n}: ${status}`);
      }
      const sorted = waitedMs.toSorted((a, b) => a - b);
      const [p50, p99, max] = [0.5, 0.99, 1].map(
        (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN,
      );
      const open = clients.filter(({ isClosed }) => !isClosed).length;
      report.figure('kept connections', open);
      report.figure(
        'new ones, ms p50/p99/max',
        [p50, p99, max].map((ms) => ms?.toFixed(1)).join(' / '),
      );
      report.expect(open === kept, `${open} of ${kept} are still open`);
      report.expect((p50 ?? Infinity) < AT_ONCE_MS, `at once: ${p50} ms`);
    } finally {
      for (const client of clients) client.close();
      await stage.close();
    }
  },
};
