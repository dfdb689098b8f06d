// The long run, `npm run fuzz [-- ROUNDS [SEED]]`: mutates what is kept, keeps what behaves in a new way, reports figures.
import { readCorpus, keep } from './corpus.js';
import { chunked, mutate, Random } from './mutation.js';
import { outcomeOf, TARGETS, type Target } from './targets.js';

const [, , rounds = '200000', seed = String(Date.now() % 2 ** 32)] = process.argv;
/** A target that behaves in ever new ways would fill the repository. */
const KEPT_MAX_COUNT = 400;
const KEPT_MAX_BYTES = 2_048;

interface Figures {
  rounds: number;
  kept: number;
  behaviours: Set<string>;
  slowestMs: number;
  findings: string[];
}

function fuzz(target: Target, random: Random): Figures {
  const seeds = readCorpus(target.name);
  const dictionary = target.dictionary.map((word) => Buffer.from(word, 'latin1'));
  const figures: Figures = {
    rounds: 0,
    kept: seeds.length,
    behaviours: new Set(),
    slowestMs: 0,
    findings: [],
  };
  for (const input of seeds) figures.behaviours.add(outcomeOf(target, [input]));
  for (; figures.rounds < Number(rounds) && figures.findings.length < 3; figures.rounds += 1) {
    const input = mutate(seeds, dictionary, random);
    const before = process.cpuUsage();
    let outcome: string;
    try {
      outcome = outcomeOf(target, chunked(input, random));
    } catch (err) {
      figures.findings.push(
        `${keep(target.name, input)}: ${err instanceof Error ? (err.stack ?? '') : String(err)}`,
      );
      continue;
    }
    const { user, system } = process.cpuUsage(before);
    figures.slowestMs = Math.max(figures.slowestMs, (user + system) / 1_000);
    if (figures.behaviours.has(outcome)) continue;
    figures.behaviours.add(outcome);
    if (input.length > KEPT_MAX_BYTES || seeds.length >= KEPT_MAX_COUNT) continue;
    keep(target.name, input);
    seeds.push(input);
  }
  figures.kept = seeds.length;
  return figures;
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

say(`seed ${seed}, ${rounds} rounds a target`);
say('target            rounds  behaviours  kept  slowest CPU ms   rounds/s  findings');
for (const target of TARGETS) {
  const startMs = performance.now();
  const {
    rounds: done,
    behaviours,
    kept,
    slowestMs,
    findings,
  } = fuzz(target, new Random(Number(seed)));
  const perS = Math.round(done / ((performance.now() - startMs) / 1_000));
  const cells = [done, behaviours.size, kept, slowestMs.toFixed(1), perS, findings.length];
  const [a, b, c, d, e, f] = cells.map(String);
  say(
    `${target.name.padEnd(16)}${a?.padStart(8)}${b?.padStart(12)}${c?.padStart(6)}${d?.padStart(16)}${e?.padStart(11)}${f?.padStart(10)}`,
  );
  for (const finding of findings) say(finding);
  if (findings.length > 0) process.exitCode = 1;
}
