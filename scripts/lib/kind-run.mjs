// A kind of tests with a command of its own, apart from `npm test` because of what it installs: packages, build, run, count.
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setup } from '../setup.mjs';
import { installDebianPackages } from './debian.mjs';
import { ROOT } from './run.mjs';
import { closeWorkspace, openWorkspace, runTests, testFiles } from './test-run.mjs';

/** @param words only files with one of them in their names; all if there is none */
export function runKind(kind, words = []) {
  const list = readFileSync(join(ROOT, `scripts/packages-${kind}.txt`), 'utf8');
  process.stdout.write(`${installDebianPackages(list.trim().split('\n'))}\n`);
  setup({ build: true });
  const isWanted = (file) =>
    words.length === 0 || words.some((word) => basename(file).includes(word));
  const workspace = openWorkspace();
  try {
    const { passed, failed, skipped } = runTests(testFiles(ROOT, kind).filter(isWanted), {
      concurrency: 1,
      workspace,
    });
    process.stdout.write(`\n${passed} passed, ${failed} failed, ${skipped} skipped\n`);
    process.exitCode = failed === 0 ? 0 : 1;
  } finally {
    closeWorkspace(workspace);
  }
}
