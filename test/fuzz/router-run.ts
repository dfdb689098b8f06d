// The long run of the router's fuzzer, `npm run fuzz -- router [ROUNDS [SEED]]`: figures at each rest, and whatever it found.
import { MIB } from '../../src/limits.js';
import { RouterFuzz, type Figures } from './router-fuzz.js';

const [, , rounds = '100000', seed = String(Date.now() % 2 ** 32)] = process.argv;
const REST_EVERY = 10_000;
/** What comes and goes with the collector; a thousandth of a KiB a round would be more. */
const HEAP_GROWTH_MAX_BYTES = 8 * MIB;

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const inMib = (bytes: number): string => (bytes / MIB).toFixed(1);

function row({ rounds: done, elapsedMs, heapBytes, rssBytes, ...counts }: Figures): string {
  const perS = Math.round(done / (elapsedMs / 1_000));
  const cells = [done, perS, counts.requests, counts.protocolErrors];
  return [...cells.map(String), inMib(heapBytes), inMib(rssBytes)]
    .map((cell) => cell.padStart(10))
    .join('');
}

const fuzz = await RouterFuzz.start({
  rounds: Number(rounds),
  seed: Number(seed),
  restEvery: REST_EVERY,
  heapGrowthMaxBytes: HEAP_GROWTH_MAX_BYTES,
  onRest: (figures) => say(row(figures)),
});
say(`seed ${seed}, ${rounds} rounds`);
say(
  ['rounds', 'rounds/s', 'requests', 'protocol', 'heap MiB', 'RSS MiB']
    .map((cell) => cell.padStart(10))
    .join(''),
);
// A rejection that nobody handles, and whatever is thrown out of a callback, end the process here: that is a finding, too.
try {
  await fuzz.run();
} finally {
  await fuzz.stop();
}
