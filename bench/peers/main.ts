// usherd and what it replaces in one run: starts all, runs each scenario on one after the other, prints and keeps the medians.
// Run by scripts/bench.mjs, in namespaces of its own: it writes to /etc and /srv.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Peer } from './peer.js';
import { allPeers } from './peers.js';
import { measuredOf, tableOf, type Measured, type Report } from './report.js';
import { scenarios, type Figures, type Scenario } from './scenarios.js';
import { writePlots } from './plots.js';
import { makeSite } from './site.js';
import { median } from './statistics.js';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    only: { type: 'string', default: '' },
    peers: { type: 'string', default: '' },
    stage: { type: 'string', default: '' },
    /** A directory for results.json and the drawings. */
    out: { type: 'string', default: '' },
  },
});
const seconds = Number(values.seconds);

const isWanted = (list: string, name: string): boolean =>
  list === '' || list.split(',').includes(name);

const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

/** Every figure's median over the rounds. */
function merged(rounds: readonly Figures[]): Figures {
  const names = new Set(rounds.flatMap((round) => Object.keys(round)));
  const entries = [...names].map((name) => {
    const of = rounds.flatMap((round) => round[name] ?? []);
    return [name, name === 'errors' ? of.reduce((a, b) => a + b, 0) : median(of)] as const;
  });
  return Object.fromEntries(entries);
}

/** The peers take turns within each round, so that what disturbs the machine disturbs all. */
async function measure(scenario: Scenario, peers: readonly Peer[]): Promise<Measured> {
  const taking = peers.filter(({ leavesOut }) => !leavesOut.has(scenario.name));
  const rounds = new Map<string, Figures[]>(taking.map(({ name }) => [name, []]));
  const { warmUpSeconds } = scenario;
  if (warmUpSeconds !== undefined) {
    for (const peer of taking) await scenario.run(peer, warmUpSeconds, 0);
  }
  for (let round = 0; round < scenario.rounds; round += 1) {
    for (const peer of taking) {
      rounds.get(peer.name)?.push(await scenario.run(peer, seconds, round));
    }
  }
  const figures = [...rounds].map(([name, of]) => [name, merged(of)] as const);
  return measuredOf(scenario, Object.fromEntries(figures));
}

const firstLine = (file: string, ...args: readonly string[]): string =>
  execFileSync(file, args, { encoding: 'utf8' }).split('\n')[0]?.trim() ?? '';

const versions = (): Record<string, string> => ({
  node: process.version,
  apache: firstLine('/usr/sbin/apache2', '-v'),
  php: firstLine('/usr/bin/php-cgi', '-v'),
  kernel: firstLine('/bin/uname', '-r'),
  processors: `${availableParallelism()} × ${cpus()[0]?.model ?? ''}`,
});

// It writes accounts: never into the machine's own files.
if (values.stage === '') throw new Error('run it by `npm run bench`, which makes a stage for it');
const base = join(values.stage, 'run');
mkdirSync(base);
makeSite();
const peers = allPeers(base).filter(({ name }) => isWanted(values.peers, name));
const results: Measured[] = [];
try {
  for (const peer of peers) await peer.start();
  for (const scenario of scenarios.filter(({ name }) => isWanted(values.only, name))) {
    say(`bench: ${scenario.name}`);
    results.push(await measure(scenario, peers));
  }
} finally {
  for (const peer of peers) await peer.stop();
}
const titles = Object.fromEntries(peers.map(({ name, title }) => [name, title]));
const report: Report = { versions: versions(), peers: titles, seconds, results };
say(`\n${tableOf(report)}`);
if (values.out !== '') {
  mkdirSync(values.out, { recursive: true });
  writeFileSync(join(values.out, 'results.json'), `${JSON.stringify(report, undefined, 2)}\n`);
  writePlots(report, values.out);
}
