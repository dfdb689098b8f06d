// `npm test`: everything, from a fresh clone: packages, build, checks, all tests. The last line is the count.
import { cpSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { check } from './check.mjs';
import { installDebianPackages } from './lib/debian.mjs';
import { leakedFiles, leakedProcesses, processesNow } from './lib/leaks.mjs';
import { fail, ROOT, seconds } from './lib/run.mjs';
import { closeWorkspace, openWorkspace, runTests, testFiles, warningsOf } from './lib/test-run.mjs';
import { setup } from './setup.mjs';

const STAGES = [
  {
    name: 'unit',
    kinds: ['unit', 'property', 'conformance', 'docs'],
    concurrency: availableParallelism() + 1,
  },
  { name: 'integration', kinds: ['integration'], concurrency: 1 },
  { name: 'privileged', kinds: ['privileged'], concurrency: 1 }, // they share uids and the accounts' process limits
  { name: 'attacks', kinds: ['attacks'], concurrency: 1 },
];

const rows = [];
const total = { passed: 0, failed: 0, skipped: 0 };

function note(name, startMs, { passed = 0, failed = 0, skipped = 0, failures = [] }) {
  total.passed += passed;
  total.failed += failed;
  total.skipped += skipped;
  rows.push({ name, passed, failed, skipped, failures, time: seconds(startMs) });
}

/** One stage that is no test: each thing it complains of counts as a failure. */
function judge(name, find) {
  const startMs = Date.now();
  const failures = find();
  note(name, startMs, { failed: failures.length, failures });
}

/**
 * Where the tests run. As root they start processes of other uids, which must be able to read the program: a checkout
 * below a private directory (root's home, a mktemp -d) is copied out of it first.
 */
async function readableCheckout(workspace) {
  const { isReachable } = await import(`${ROOT}/dist/src/cli/reachable.js`);
  if (process.getuid() !== 0 || isReachable(ROOT)) return ROOT;
  const copy = join(workspace.directory, 'checkout');
  cpSync(ROOT, copy, { recursive: true, filter: (path) => path !== join(ROOT, '.git') });
  return copy;
}

async function runStages(workspace) {
  const cwd = await readableCheckout(workspace);
  for (const { name, kinds, concurrency } of STAGES) {
    const files = kinds.flatMap((kind) => testFiles(cwd, kind));
    if (files.length === 0) continue;
    process.stdout.write(`\n${name}: ${files.length} files\n`);
    const startMs = Date.now();
    note(name, startMs, runTests(files, { concurrency, workspace, cwd }));
  }
}

function printSummary() {
  process.stdout.write('\n');
  for (const { name, passed, failed, skipped, failures, time } of rows) {
    const counts = `${passed} passed, ${failed} failed, ${skipped} skipped`;
    process.stdout.write(`${name.padEnd(14)}${counts}, ${time}\n`);
    for (const line of failures) process.stdout.write(`    ${line}\n`);
  }
  if (process.getuid() !== 0) {
    process.stdout.write('Not root: the privileged tests and the attacks are among the skipped.\n');
  }
  const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
  process.stdout.write(`\n${total.passed} passed, ${total.failed} failed${skipped}\n`);
}

try {
  const before = processesNow();
  setup({ build: false });
  const packages = installDebianPackages();
  if (packages !== '') process.stdout.write(`packages: ${packages}\n`);
  setup({ build: true });
  judge('check', check);
  const workspace = openWorkspace();
  try {
    await runStages(workspace);
    judge('warnings', () => warningsOf(workspace));
    judge('left behind', () => [
      ...leakedProcesses(before, workspace.directory),
      ...leakedFiles(workspace.temporary),
    ]);
  } finally {
    closeWorkspace(workspace);
  }
  printSummary();
  if (total.failed > 0) process.exitCode = 1;
} catch (err) {
  fail(err);
}
