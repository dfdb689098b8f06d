// Load by wrk on one peer, with what its processes have cost meanwhile.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Peer } from './peer.js';
import { processorUs } from './processes.js';

const SCRIPT = join(import.meta.dirname, '../../../bench/peers/wrk.lua');

export interface Load {
  readonly connections: number;
  readonly users: number;
  readonly seconds: number;
  readonly path: string;
}

interface WrkCounts {
  readonly requests: number;
  readonly us: number;
  readonly p50Us: number;
  readonly p90Us: number;
  readonly p99Us: number;
  readonly maxUs: number;
  readonly connect: number;
  readonly read: number;
  readonly write: number;
  readonly status: number;
  readonly timeout: number;
}

export interface LoadFigures {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly errors: number;
  /** Microseconds of processor time a request, by role. */
  readonly costUs: Readonly<Record<string, number>>;
}

/** Runs wrk for the time given; errors are connections that failed and answers that were not 2xx or 3xx. */
export async function loadOn(peer: Peer, load: Load): Promise<LoadFigures> {
  const before = processorUs(peer.pids());
  const counts = await runWrk(peer.port, load);
  const after = processorUs(peer.pids());
  const costUs: Record<string, number> = {};
  for (const [role, us] of after) {
    const spentUs = us - (before.get(role) ?? 0);
    if (spentUs > 0) costUs[role] = spentUs / Math.max(1, counts.requests);
  }
  return {
    perSecond: (counts.requests * 1e6) / counts.us,
    p50Ms: counts.p50Us / 1000,
    p90Ms: counts.p90Us / 1000,
    p99Ms: counts.p99Us / 1000,
    maxMs: counts.maxUs / 1000,
    errors: counts.connect + counts.read + counts.write + counts.status + counts.timeout,
    costUs,
  };
}

async function runWrk(port: number, load: Load): Promise<WrkCounts> {
  const args = ['-t1', `-c${load.connections}`, `-d${load.seconds}s`, '--timeout=10s'];
  const { stderr } = await promisify(execFile)(
    '/usr/bin/wrk',
    [...args, '-s', SCRIPT, `http://127.0.0.1:${port}${load.path}`],
    { env: { BENCH_USERS: String(load.users), BENCH_PATH: load.path } },
  );
  const line = stderr.split('\n').find((it) => it.startsWith('{')) ?? '';
  return JSON.parse(line) as WrkCounts;
}
