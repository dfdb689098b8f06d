// A body of four gibibytes up, and an answer of four gibibytes down: every byte arrives, and the router does not grow.
import { createHash } from 'node:crypto';
import http from 'node:http';
import { HASHING_WORKER } from '../support/hashing-worker.js';
import { SoakStage, type Scenario } from '../support/soak-stage.js';
import { rssMiB } from '../support/usherd-run.js';

const MIB = 1_048_576;
const MIB_OF = { full: 4_096, short: 64 } as const;
const GROWTH_MAX_MIB = 32;
const SAMPLE_MS = 50;

/** Of its own kind at each place: a block that is lost, doubled or misplaced changes the digest. */
function* blocks(mib: number): Generator<Buffer> {
  const block = Buffer.alloc(MIB);
  for (let at = 0; at < block.length; at += 4)
    block.writeUInt32LE((at * 2_654_435_761) % 2 ** 32, at);
  for (let n = 0; n < mib; n += 1) {
    const own = Buffer.from(block);
    own.writeUInt32LE(n, 0);
    yield own;
  }
}

interface Answer {
  readonly status: number;
  readonly digest: string;
  readonly bytes: number;
  readonly text: string;
}

async function send(
  port: number,
  path: string,
  body: Iterable<Buffer> | undefined,
  bytes = 0,
): Promise<Answer> {
  const headers = body === undefined ? {} : { 'Content-Length': bytes };
  const method = body === undefined ? 'GET' : 'PUT';
  const outgoing = http.request({ host: '127.0.0.1', port, path, method, headers, agent: false });
  const answered = new Promise<Answer>((resolve, reject) => {
    outgoing.on('error', reject);
    outgoing.on('response', (incoming) => {
      const hash = createHash('sha256');
      let [count, text] = [0, ''];
      incoming.on('error', reject);
      incoming.on('data', (chunk: Buffer) => {
        hash.update(chunk);
        count += chunk.length;
        if (text.length < 200) text += chunk.toString('latin1', 0, 200);
      });
      incoming.on('end', () =>
        resolve({
          status: incoming.statusCode ?? 0,
          digest: hash.digest('hex'),
          bytes: count,
          text,
        }),
      );
    });
  });
  for (const block of body ?? []) {
    if (!outgoing.write(block)) {
      await Promise.race([new Promise((resolve) => outgoing.once('drain', resolve)), answered]);
    }
  }
  outgoing.end();
  return answered;
}

/** The most memory that the router had at any moment of it. */
async function peakMiB(stage: SoakStage, work: () => Promise<unknown>): Promise<number> {
  const router = stage.usherd.pidOf('router');
  let most = rssMiB(router);
  const sampling = setInterval(() => (most = Math.max(most, rssMiB(router))), SAMPLE_MS);
  try {
    await work();
  } finally {
    clearInterval(sampling);
  }
  return most;
}

export const transfer: Scenario = {
  name: 'transfer',
  promise: 'large bodies and answers arrive whole and cost the router no memory',
  async run(scale, report) {
    const mib = MIB_OF[scale];
    const stage = await SoakStage.open({ users: 1, apache: 'LimitRequestBody 0\n' });
    try {
      for (const app of ['buffered', 'streamed']) {
        stage.usherd.write(`user0/${app}`, 'app.fcgi', HASHING_WORKER, 0o755);
      }
      stage.usherd.write('user0/streamed', 'usherd.toml', 'buffer_requests = false\n');
      const hash = createHash('sha256');
      for (const block of blocks(mib)) hash.update(block);
      const digest = hash.digest('hex');
      const restMiB = rssMiB(stage.usherd.pidOf('router'));
      report.figure('router before', `${restMiB.toFixed(0)} MiB`);
      const measured = async (what: string, work: () => Promise<void>): Promise<void> => {
        const startedMs = performance.now();
        const peak = await peakMiB(stage, work);
        const seconds = (performance.now() - startedMs) / 1000;
        report.figure(what, `${seconds.toFixed(0)} s, router ${peak.toFixed(0)} MiB at most`);
        const grownMiB = peak - restMiB;
        report.expect(
          grownMiB < GROWTH_MAX_MIB,
          `${what}: the router grew by ${grownMiB.toFixed(0)} MiB`,
        );
      };
      for (const app of ['buffered', 'streamed']) {
        await measured(`upload of ${mib} MiB, ${app}`, async () => {
          const answer = await send(stage.port, `/~user0/apps/${app}/`, blocks(mib), mib * MIB);
          report.expect(answer.status === 200, `upload, ${app}: ${answer.status} ${answer.text}`);
          report.expect(answer.text === digest, `upload, ${app}: ${answer.text}, not ${digest}`);
        });
      }
      await measured(`download of ${mib} MiB`, async () => {
        const answer = await send(stage.port, `/~user0/apps/buffered/?mib=${mib}`, undefined);
        report.expect(answer.status === 200, `download: ${answer.status}`);
        report.expect(answer.bytes === mib * MIB, `download: ${answer.bytes} bytes`);
        report.expect(answer.digest === digest, `download: ${answer.digest}, not ${digest}`);
      });
    } finally {
      await stage.close();
    }
  },
};
