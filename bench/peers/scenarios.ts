// What is measured, each as one round on one peer; a figure is a name with a number, and rounds are merged by their medians.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { waitFor } from '../../test/support/wait-for.js';
import { ask, eventDelaysMs, slowDownloads, slowUploads } from './clients.js';
import { loadOn, type LoadFigures } from './load.js';
import type { Peer } from './peer.js';
import { memoryBytes, roleOf } from './processes.js';
import { median, quantile } from './statistics.js';
import { users, type BenchUser } from './site.js';

export type Figures = Readonly<Record<string, number>>;

export interface Scenario {
  readonly name: string;
  /** One line for the report. */
  readonly title: string;
  /** The figure that the comparison is about, and whether more of it is better. */
  readonly main: string;
  readonly moreIsBetter: boolean;
  readonly rounds: number;
  /** Of the same, before the rounds that count: a program that compiles itself while it runs needs some seconds for it. */
  readonly warmUpSeconds?: number;
  readonly run: (peer: Peer, seconds: number, round: number) => Promise<Figures>;
}

const WORKERS = 4;
const SLOW_CLIENTS = 40;
const LARGE_BYTES = 100 * 1024 * 1024;
const MIB = 1024 * 1024;

function user(index: number): BenchUser {
  const found = users[index % users.length];
  if (found === undefined) throw new Error('there are no users');
  return found;
}
const first = user(0);

const flat = ({ costUs, ...rest }: LoadFigures): Figures => ({
  ...rest,
  costUs: Object.values(costUs).reduce((sum, us) => sum + us, 0),
  ...Object.fromEntries(Object.entries(costUs).map(([role, us]) => [`costUs.${role}`, us])),
});

const hello =
  (connections: number, usersCount: number) =>
  async (peer: Peer, seconds: number): Promise<Figures> =>
    flat(await loadOn(peer, { connections, users: usersCount, seconds, path: peer.hello }));

/** The rate beside slow clients, as a share of the one without. */
const disturbed =
  (disturb: (peer: Peer, of: BenchUser, count: number) => () => void) =>
  async (peer: Peer, seconds: number): Promise<Figures> => {
    const load = { connections: 8, users: 1, seconds, path: peer.hello };
    const free = await loadOn(peer, load);
    const stop = disturb(peer, first, SLOW_CLIENTS);
    try {
      const beside = await loadOn(peer, load);
      const { perSecond, p99Ms, errors } = beside;
      return { share: perSecond / free.perSecond, perSecond, p99Ms, errors };
    } finally {
      stop();
    }
  };

/** The first answer after every worker of the user was killed. */
async function death(peer: Peer): Promise<Figures> {
  const times: number[] = [];
  for (let i = 0; i < 11; i += 1) {
    await ask(peer, first, { path: peer.hello });
    const victims = peer.workersOf(first);
    for (const pid of victims) process.kill(pid, 'SIGKILL');
    await waitFor('the workers to be dead', () =>
      peer.workersOf(first).every((pid) => !victims.includes(pid)),
    );
    const answer = await ask(peer, first, { path: peer.hello });
    times.push(answer.status === 200 ? answer.ms : 10_000);
  }
  return { ms: median(times), maxMs: Math.max(...times) };
}

/** The first request of users who have no worker yet; each round has others. */
async function coldStart(peer: Peer, _seconds: number, round: number): Promise<Figures> {
  const times: number[] = [];
  for (let i = 0; i < 5; i += 1) {
    const answer = await ask(peer, user(10 + round * 5 + i), { path: peer.hello });
    times.push(answer.status === 200 ? answer.ms : 10_000);
  }
  const own = Array.from({ length: 9 }, ownStartMs);
  return { ms: median(times), phpOwnMs: median(own), overPhpMs: median(times) - median(own) };
}

/** php-cgi alone, from its start to its end, with the same page. */
function ownStartMs(): number {
  const script = join(first.site, 'hello.php');
  const env = { REDIRECT_STATUS: '200', SCRIPT_FILENAME: script, REQUEST_METHOD: 'GET' };
  const startMs = performance.now();
  const { status } = spawnSync('/usr/bin/php-cgi', [], { env });
  if (status !== 0) throw new Error('php-cgi did not run');
  return performance.now() - startMs;
}

async function upload(peer: Peer): Promise<Figures> {
  const { ms, status } = await ask(peer, first, { path: '/upload.php', bodyBytes: LARGE_BYTES });
  if (status !== 200) throw new Error(`${peer.name}: upload answered ${status}`);
  return { mibPerS: LARGE_BYTES / MIB / (ms / 1000) };
}

async function download(peer: Peer): Promise<Figures> {
  const path = `/download.php?kib=${LARGE_BYTES / 1024}`;
  const { ms, bytes } = await ask(peer, first, { path });
  if (bytes !== LARGE_BYTES) throw new Error(`${peer.name}: download gave ${bytes} bytes`);
  return { mibPerS: LARGE_BYTES / MIB / (ms / 1000) };
}

async function events(peer: Peer): Promise<Figures> {
  const delays = await eventDelaysMs(peer, first);
  return { ms: median(delays), p90Ms: quantile(delays, 0.9), events: delays.length };
}

/** Everything that is there without a request, less the workers. */
function rest(peer: Peer): Promise<Figures> {
  const standing = peer.pids().filter((pid) => roleOf(pid) !== 'php');
  const ours = standing.filter((pid) => /^(run|router|supervisor)$/.test(roleOf(pid)));
  return Promise.resolve({
    mib: memoryBytes(standing) / MIB,
    ...(ours.length > 0 && { withoutApacheMib: memoryBytes(ours) / MIB }),
  });
}

const more = { moreIsBetter: true, rounds: 3 } as const;
const less = { moreIsBetter: false, rounds: 3 } as const;

/** In this order: what must find users without workers comes before what starts all of them. */
export const scenarios: readonly Scenario[] = [
  {
    ...{ ...less, name: 'cold start', main: 'ms', run: coldStart },
    title: 'first request of a user, ms',
  },
  {
    ...{ ...more, name: 'hello 8', main: 'perSecond', run: hello(8, 1), warmUpSeconds: 15 },
    title: `requests a second, 8 connections, ${WORKERS} workers`,
  },
  {
    ...{ ...more, name: 'hello 64', main: 'perSecond', run: hello(64, 1) },
    title: `requests a second, 64 connections, ${WORKERS} workers`,
  },
  {
    ...{ ...more, name: '50 users', main: 'perSecond', run: hello(64, users.length) },
    title: 'requests a second, 64 connections over 50 users',
  },
  {
    ...{ ...more, name: 'slow uploads', main: 'share', run: disturbed(slowUploads) },
    title: `rate beside ${SLOW_CLIENTS} uploads of 10 kB/s, share of the undisturbed`,
  },
  {
    ...{ ...more, name: 'slow downloads', main: 'share', run: disturbed(slowDownloads) },
    title: `rate beside ${SLOW_CLIENTS} slow downloads of 20 MB, share of the undisturbed`,
  },
  {
    ...{ ...less, name: 'death', main: 'ms', run: death },
    title: 'first answer after all workers were killed, ms',
  },
  {
    ...{ ...more, name: 'upload', main: 'mibPerS', run: upload, rounds: 5 },
    title: '100 MB up, MiB/s',
  },
  {
    ...{ ...more, name: 'download', main: 'mibPerS', run: download, rounds: 5 },
    title: '100 MB down, MiB/s',
  },
  {
    ...{ ...less, name: 'events', main: 'ms', run: events },
    title: 'from an event to the client, ms',
  },
  {
    ...{ ...less, name: 'rest', main: 'mib', run: rest, rounds: 1 },
    title: 'memory without workers, MiB',
  },
];
