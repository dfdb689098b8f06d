// Forty uploads that trickle in hold none of an application's four workers: its other requests go on as fast.
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { keepAsking, type LoadResult } from '../support/load.js';
import { SoakStage, type Scenario } from '../support/soak-stage.js';

const SCALE = {
  full: { uploads: 40, seconds: 30 },
  short: { uploads: 20, seconds: 3 },
} as const;

const WORKERS = 4;
const UPLOAD_BYTES_PER_S = 10_000;
const PIECES_PER_S = 10;
const KEPT_SHARE_MIN = 0.8;
const PAGE = '<?php echo strlen(file_get_contents("php://input"));';
const PATH = '/~user0/apps/site/';

/** Resolves to the answer once all of it was sent, piece by piece. */
async function upload(port: number, seconds: number): Promise<string> {
  const piece = Buffer.alloc(UPLOAD_BYTES_PER_S / PIECES_PER_S, 'x');
  const count = seconds * PIECES_PER_S;
  const outgoing = http.request({
    ...{ host: '127.0.0.1', port, path: PATH, method: 'POST', agent: false },
    headers: { 'Content-Length': piece.length * count, 'Content-Type': 'text/plain' },
  });
  const answer = new Promise<string>((resolve, reject) => {
    outgoing.on('error', reject);
    outgoing.on('response', (incoming) => {
      let text = '';
      incoming.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
      incoming.on('end', () => resolve(`${incoming.statusCode ?? 0} ${text}`));
    });
  });
  for (let sent = 0; sent < count; sent += 1) {
    outgoing.write(piece);
    await sleep(1000 / PIECES_PER_S);
  }
  outgoing.end();
  return answer;
}

export const slowUploads: Scenario = {
  name: 'slow-uploads',
  promise: 'uploads that trickle in hold no worker',
  async run(scale, report) {
    const { uploads, seconds } = SCALE[scale];
    const stage = await SoakStage.open({
      users: 1,
      more: `[limits]\nmax_workers_per_app = ${WORKERS}`,
    });
    try {
      stage.usherd.write('user0/site', 'index.php', PAGE);
      const ask = (forMs: number): Promise<LoadResult> => {
        const untilMs = performance.now() + forMs;
        const load = { port: stage.port, path: () => PATH };
        return keepAsking(load, 2 * WORKERS, () => performance.now() >= untilMs);
      };
      await ask(1_000);
      const before = await ask((seconds * 1000) / 2);
      const trickling = Promise.all(
        Array.from({ length: uploads }, () => upload(stage.port, seconds)),
      );
      const beside = await ask(seconds * 1000);
      const answers = await trickling;
      const afterwards = await ask((seconds * 1000) / 2);
      const undisturbedPerS = (before.perS + afterwards.perS) / 2;
      const share = beside.perS / undisturbedPerS;
      report.figure('before', before);
      report.figure('beside the uploads', beside);
      report.figure('afterwards', afterwards);
      report.figure('share of the rate', `${(100 * share).toFixed(0)} %`);
      report.figure('after', JSON.stringify(stage.look()));
      const whole = `200 ${seconds * UPLOAD_BYTES_PER_S}`;
      const broken = answers.filter((answer) => answer !== whole);
      report.expect(broken.length === 0, `uploads: ${broken.slice(0, 3).join('; ')}`);
      report.expect(beside.failed === 0, beside.failures.join('; '));
      report.expect(share >= KEPT_SHARE_MIN, `${share} of the rate`);
    } finally {
      await stage.close();
    }
  },
};
