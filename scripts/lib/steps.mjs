// What steps that try the package are made of, and how they are run, one after the other.
import { setTimeout as pause } from 'node:timers/promises';

/** Undefined if every line of shell succeeds inside; else what the first other one said. */
export function all(booted, lines) {
  for (const line of lines) {
    const { ok, output } = booted.run(line);
    if (!ok) return `$ ${line}\n${output}`;
  }
  return undefined;
}

export const differs = (what, found, expected) =>
  found === expected ? undefined : `${what}: ${found}, expected ${expected}`;

/** Waits for a condition inside, never for a time. */
export async function until(booted, line) {
  for (let tries = 0; tries < 300; tries += 1) {
    if (booted.run(line).ok) return undefined;
    await pause(100);
  }
  return `never true: ${line}`;
}

/** Prints a line each and the count. @returns how many failed */
export async function runSteps(booted, steps, deb) {
  const counts = { passed: 0, failed: 0 };
  for (const [title, step] of steps) {
    const startMs = performance.now();
    const problem = await step(booted, deb);
    counts[problem === undefined ? 'passed' : 'failed'] += 1;
    const took = `${((performance.now() - startMs) / 1000).toFixed(1)} s`;
    process.stdout.write(`${problem === undefined ? 'ok    ' : 'FAILED'} ${title} (${took})\n`);
    if (problem === undefined) continue;
    const { output } = booted.run('journalctl --no-pager -o short-precise -n 40 -u "usherd*"');
    process.stdout.write(`${problem}\n${output}\n`);
    if (step === steps[0][1]) break; // Without an installed package there is nothing to try.
  }
  process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed\n`);
  return counts.failed;
}
