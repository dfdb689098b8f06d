// The endurance runs by name, and their reports on the terminal.
import { Report, type Scenario } from '../support/soak-stage.js';
import { churn } from './churn.js';
import { crashLoop } from './crash-loop.js';
import { crashes } from './crashes.js';
import { idleConnections } from './idle-connections.js';
import { manyApps } from './many-apps.js';
import { sleepers } from './sleepers.js';
import { slowUploads } from './slow-uploads.js';
import { transfer } from './transfer.js';

/** In this order; the short forms of all of them are tests of `npm test`. */
export const SCENARIOS: readonly Scenario[] = [
  churn,
  sleepers,
  crashLoop,
  slowUploads,
  idleConnections,
  crashes,
  transfer,
  manyApps,
];

export interface Soak {
  /** Empty: all of them. */
  readonly names: readonly string[];
  readonly scale: 'full' | 'short';
}

/** Resolves to how many were not as promised. */
export async function soak({ names, scale }: Soak): Promise<number> {
  const known = SCENARIOS.map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new Error(`there is no ${unknown.join(', ')}; there are ${known.join(', ')}`);
  }
  let failed = 0;
  for (const scenario of SCENARIOS) {
    if (names.length > 0 && !names.includes(scenario.name)) continue;
    if (!(await runOne(scenario, scale))) failed += 1;
  }
  return failed;
}

async function runOne(scenario: Scenario, scale: Soak['scale']): Promise<boolean> {
  const startedMs = performance.now();
  print(`\n${scenario.name}: ${scenario.promise}`);
  const report = new Report();
  try {
    await scenario.run(scale, report);
  } catch (err) {
    report.problems.push(err instanceof Error ? (err.stack ?? err.message) : String(err));
  }
  for (const [what, value] of report.figures) print(`  ${what.padEnd(24)}${value}`);
  for (const problem of report.problems) print(`  BROKEN: ${problem}`);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
  print(`  ${report.problems.length === 0 ? 'as promised' : 'not as promised'}, ${seconds} s`);
  return report.problems.length === 0;
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);
