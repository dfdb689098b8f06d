// Five hundred requests of one user that sleep: a few get a worker, some wait, the others are refused at once, and no neighbour notices.
import { askAtRate, type LoadResult } from '../support/load.js';
import { SoakStage, type Scenario } from '../support/soak-stage.js';

const SCALE = {
  full: { sleepers: 500, sleepS: 60, perS: 100, aloneS: 30, refusedWithinMs: 100 },
  // Most of its few refusals come while workers start; one that had waited would take 3 s.
  short: { sleepers: 60, sleepS: 3, perS: 40, aloneS: 1, refusedWithinMs: 1_000 },
} as const;

const CAP = 5;
const QUEUE_LENGTH = 20;
/** Of the neighbour's 99th percentile; the short form is too short for one. */
const SLOWER_MAX = 1.2;

const SLEEPS = (seconds: number): string => `<?php sleep(${seconds}); echo "slept";`;
const PAGE = '<?php echo "ok";';
const LIMITS = `[users.user0.limits]
max_workers_per_user = ${CAP}
max_workers_per_app = ${CAP}
queue_length = ${QUEUE_LENGTH}`;

export const sleepers: Scenario = {
  name: 'sleepers',
  promise: 'requests beyond a queue are refused at once, and one user’s sleepers slow down nobody',
  async run(scale, report) {
    const { sleepers: count, sleepS, perS, aloneS, refusedWithinMs } = SCALE[scale];
    const stage = await SoakStage.open({ users: 2, more: LIMITS });
    try {
      stage.usherd.write('user0/sleeps', 'index.php', SLEEPS(sleepS));
      stage.usherd.write('user1/fine', 'index.php', PAGE);
      const neighbour = (isOver: () => boolean): Promise<LoadResult> =>
        askAtRate(
          { port: stage.port, path: () => '/~user1/apps/fine/' },
          { perS: 50, clients: 4 },
          isOver,
        );
      const forS = (seconds: number): (() => boolean) => {
        const untilMs = performance.now() + seconds * 1000;
        return () => performance.now() >= untilMs;
      };
      await neighbour(forS(1));
      const alone = await neighbour(forS(aloneS));
      const refusedMs: number[] = [];
      let withoutRetryAfter = 0;
      let begun = 0;
      const startedMs: number[] = [];
      const sleeping = askAtRate(
        {
          port: stage.port,
          path: (n) => {
            startedMs[n] = performance.now();
            return '/~user0/apps/sleeps/';
          },
          judge: (n, { status, headers }) => {
            if (status === 200) return undefined;
            const reason = headers['x-usherd-reason'];
            if (reason === 'queue-timeout') return undefined; // all workers slept longer than one may wait
            if (reason !== 'queue-full') return `${n}: ${status}`;
            if (headers['retry-after'] === undefined) withoutRetryAfter += 1;
            refusedMs.push(performance.now() - (startedMs[n] ?? 0));
            return undefined;
          },
        },
        { perS, clients: count },
        (asked) => (begun = asked) >= count,
      );
      const state = { isOver: false };
      const over = sleeping.finally(() => (state.isOver = true));
      const beside = await neighbour(() => state.isOver);
      const result = await over;
      const afterwards = await neighbour(forS(aloneS));
      const sorted = refusedMs.toSorted((a, b) => a - b);
      const p99Ms = sorted[Math.floor(sorted.length * 0.99)] ?? Infinity;
      report.figure('sleepers', result);
      report.figure(
        'refused, ms p99/max',
        `${p99Ms.toFixed(1)} / ${sorted.at(-1)?.toFixed(1) ?? '-'}`,
      );
      report.figure('neighbour before', alone);
      report.figure('neighbour meanwhile', beside);
      report.figure('neighbour afterwards', afterwards);
      report.expect(begun === count && result.failed === 0, result.failures.join('; '));
      // How many get a worker depends on how many sleep to their end before the last one comes.
      report.expect(refusedMs.length > 0, 'some are refused');
      report.expect(withoutRetryAfter === 0, `${withoutRetryAfter} refusals without Retry-After`);
      report.expect(p99Ms < refusedWithinMs, `refused within ${refusedWithinMs} ms: ${p99Ms} ms`);
      report.expect(beside.failed === 0, `neighbour: ${beside.failures.join('; ')}`);
      const unloadedMs = Math.max(alone.quantileMs(0.99), afterwards.quantileMs(0.99));
      const ratio = beside.quantileMs(0.99) / unloadedMs;
      report.figure('neighbour p99, ratio', ratio.toFixed(2));
      report.expect(scale === 'short' || ratio <= SLOWER_MAX, `neighbour’s p99 x ${ratio}`);
    } finally {
      await stage.close();
    }
  },
};
