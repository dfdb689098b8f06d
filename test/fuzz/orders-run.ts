// The long run of random orders, `npm run fuzz -- orders [ROUNDS [SEED [WORKER]]]`: each round its own seed, whatever it finds shrunk.
import { inspect } from 'node:util';
import fc from 'fast-check';
import {
  OrderPrograms,
  noOrderWorker,
  orderWorkers,
  type OrderWorker,
} from '../support/order-workers.js';
import { playRound } from './orders-round.js';
import { anyRound } from './orders-steps.js';

const [, , rounds = '100', seed = String(Date.now() % 2 ** 31), only] = process.argv;
const STEPS = { min: 30, max: 200 };
/** Each try of a hang takes its time. */
const SHRINK_MS = 120_000;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const programs = new OrderPrograms();
const workers = orderWorkers(programs).filter((worker) => {
  const missing = noOrderWorker(worker);
  if (missing !== false) say(`${worker.name} left out: ${missing}`);
  return missing === false && (only === undefined || only === worker.name);
});
const arbitrary = anyRound(STEPS);
async function shrunk(worker: OrderWorker, seed: number): Promise<string> {
  const property = fc.asyncProperty(arbitrary, (round) => playRound(worker, round));
  const bounds = { seed, numRuns: 1, interruptAfterTimeLimit: SHRINK_MS };
  return fc.defaultReportMessage(await fc.check(property, bounds)) ?? 'it did not fail again';
}

let stepsCount = 0;
let findingsCount = 0;
let current = '';
process.on('uncaughtExceptionMonitor', () => say(`ended in ${current}`));

async function play(worker: OrderWorker, roundSeed: number): Promise<void> {
  current = `${worker.name}, seed ${roundSeed}`;
  const startedMs = performance.now();
  const [round] = fc.sample(arbitrary, { seed: roundSeed, numRuns: 1 });
  if (round === undefined) return;
  try {
    await playRound(worker, round);
    stepsCount += round.steps.length;
    say(`${current}: ${Math.round(performance.now() - startedMs)} ms`);
  } catch (err) {
    findingsCount += 1;
    say(`${current}: FAILED ${inspect(err, { depth: 8 })}\n${fc.stringify(round)}`);
    say(await shrunk(worker, roundSeed));
  }
}

try {
  for (let index = 0; index < Number(rounds); index += 1) {
    const worker = workers[index % workers.length];
    if (worker !== undefined) await play(worker, Number(seed) + index);
  }
} finally {
  programs.remove();
}
say(`${rounds} rounds from seed ${seed}, ${stepsCount} steps, ${findingsCount} findings`);
process.exitCode = findingsCount === 0 ? 0 : 1;
