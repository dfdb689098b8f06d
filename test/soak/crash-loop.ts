// An application that dies at its start, asked for a thousand times a second: a few starts, a few lines, and no neighbour notices.
import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { askAtRate, keepAsking, type LoadResult } from '../support/load.js';
import { SoakStage, type Report, type Scenario } from '../support/soak-stage.js';

const SCALE = {
  full: { seconds: 60, perS: 1_000, startsMax: 10, linesMax: 50 },
  short: { seconds: 4, perS: 150, startsMax: 10, linesMax: 50 },
} as const;

const BROKEN = '#!/bin/sh\necho "no database" >&2\nexit 1\n';
const WORKING = join(import.meta.dirname, '../../../examples/bob/apps/hello-perl/app.fcgi');
const PAGE = '<?php echo "ok";';
/** How soon a changed file is noticed, and a worker of it answers. */
const FIXED_WITHIN_MS = 2_000;

export const crashLoop: Scenario = {
  name: 'crash-loop',
  promise: 'a worker that dies at its start is not started again and again, and harms nobody',
  async run(scale, report) {
    const { seconds, perS, startsMax, linesMax } = SCALE[scale];
    const stage = await SoakStage.open({ users: 2 });
    try {
      stage.usherd.write('user0/broken', 'app.fcgi', BROKEN, 0o755);
      stage.usherd.write('user1/fine', 'index.php', PAGE);
      const until = (ms: number) => (): boolean => performance.now() >= ms;
      const neighbour = (ms: number): Promise<LoadResult> =>
        askAtRate(
          { port: stage.port, path: () => '/~user1/apps/fine/' },
          { perS: 20, clients: 4 },
          until(performance.now() + ms),
        );
      await neighbour(300);
      const alone = await neighbour((seconds * 1000) / 2);
      const fromByte = stage.logBytes;
      const storm = askAtRate(
        { port: stage.port, path: () => '/~user0/apps/broken/', judge: () => undefined },
        { perS, clients: 64 },
        until(performance.now() + seconds * 1000),
      );
      const beside = await neighbour(seconds * 1000);
      const result = await storm;
      const lines = stage.logLines(fromByte).filter((line) => line.includes('user0/broken'));
      const starts = lines.filter((line) => line.includes('"worker started"')).length;
      report.figure('broken application', result);
      report.figure('neighbour alone', alone);
      report.figure('neighbour meanwhile', beside);
      report.figure('starts, log lines', `${starts}, ${lines.length}`);
      report.expect(starts >= 1 && starts <= startsMax, `at most ${startsMax} starts: ${starts}`);
      report.expect(lines.length <= linesMax, `at most ${linesMax} log lines: ${lines.length}`);
      report.expect(!result.statuses.has('200'), 'the broken application is broken');
      report.expect(beside.failed === 0, `neighbour: ${beside.failures.join('; ')}`);
      await fix(stage, report, scale);
    } finally {
      await stage.close();
    }
  },
};

/** A changed file is noticed without any command, whatever the back-off has come to. */
async function fix(
  stage: SoakStage,
  report: Report,
  scale: Parameters<Scenario['run']>[0],
): Promise<void> {
  // As a deploy does it: the new program takes the place of the old one in one step.
  const directory = join(stage.usherd.root, 'user0/apps/broken');
  stage.usherd.write('user0/broken', 'app.fcgi.new', readFileSync(WORKING, 'utf8'), 0o755);
  renameSync(join(directory, 'app.fcgi.new'), join(directory, 'app.fcgi'));
  const mendedMs = performance.now();
  let answeredMs = Infinity;
  await keepAsking(
    {
      port: stage.port,
      path: () => '/~user0/apps/broken/',
      judge: (_n, { status }) => {
        if (status === 200) answeredMs = Math.min(answeredMs, performance.now() - mendedMs);
        return undefined;
      },
    },
    4,
    () => answeredMs < Infinity || performance.now() - mendedMs > 70_000,
  );
  report.figure('answer after the fix', `${answeredMs.toFixed(0)} ms`);
  // The short form runs beside other tests, which have the processors then.
  const withinMs = scale === 'full' ? FIXED_WITHIN_MS : Infinity;
  report.expect(answeredMs < withinMs, `an answer after the fix: ${answeredMs} ms`);
}
