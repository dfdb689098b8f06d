// Runs the compiled tests of some folders with node:test in a temporary directory of their own, and counts.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT, run } from './run.mjs';

const TEST_DEADLINE_MS = 600_000;

/** Node says these of its own test runner, not of us. */
const HARMLESS = /ExperimentalWarning: The MockTimers API/;

/** A directory for everything that one run of the tests makes. Open to every uid, as /tmp is: tests drop privileges. */
export function openWorkspace() {
  const directory = mkdtempSync(join(tmpdir(), 'usherd-test-'));
  chmodSync(directory, 0o755);
  const temporary = join(directory, 't');
  mkdirSync(temporary);
  chmodSync(temporary, 0o1777);
  return { directory, temporary, warnings: join(directory, 'warnings') };
}

export const closeWorkspace = ({ directory }) =>
  rmSync(directory, { recursive: true, force: true });

/** Compiled test files of one kind, found by their sources: what a deleted source left in dist/ is not run. */
export function testFiles(root, kind) {
  const folder = join(root, 'test', kind);
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith('.test.ts'))
    .sort()
    .map((name) => join(root, 'dist/test', kind, name.replace(/\.ts$/, '.js')));
}

/** @returns counts and names of failures; a runner that died counts as one failure */
export function runTests(files, { concurrency, workspace, cwd = ROOT }) {
  const counts = join(workspace.directory, 'counts.json');
  rmSync(counts, { force: true });
  const args = [
    '--test',
    `--test-concurrency=${concurrency}`,
    `--test-timeout=${TEST_DEADLINE_MS}`,
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    `--test-reporter=${ROOT}/scripts/lib/count-reporter.mjs`,
    `--test-reporter-destination=${counts}`,
    ...files,
  ];
  const env = {
    ...process.env,
    TMPDIR: workspace.temporary,
    NODE_REDIRECT_WARNINGS: workspace.warnings,
  };
  const { ok, signal } = run(process.execPath, args, { env, cwd });
  if (!existsSync(counts))
    return {
      passed: 0,
      failed: 1,
      skipped: 0,
      failures: [`the test runner died (${signal ?? 'no counts'})`],
    };
  const count = JSON.parse(readFileSync(counts, 'utf8'));
  if (!ok && count.failed === 0)
    return { ...count, failed: 1, failures: ['the test runner failed without naming a test'] };
  return count;
}

/** First lines of Node's warnings in every process that inherited the run's environment. */
export function warningsOf({ warnings }) {
  if (!existsSync(warnings)) return [];
  const lines = readFileSync(warnings, 'utf8').split('\n');
  return lines.filter((line) => /^\(node:\d+\)/.test(line) && !HARMLESS.test(line));
}
