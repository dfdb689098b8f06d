// `npm run languages`: the tests that need every language; apart from `npm test`, because of what they install.
// `npm run languages -- ruby` runs the files whose names have that word.
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { installDebianPackages } from './lib/debian.mjs';
import { ROOT } from './lib/run.mjs';
import { closeWorkspace, openWorkspace, runTests, testFiles } from './lib/test-run.mjs';
import { setup } from './setup.mjs';

const list = readFileSync(join(ROOT, 'scripts/packages-languages.txt'), 'utf8');
process.stdout.write(`${installDebianPackages(list.trim().split('\n'))}\n`);
setup({ build: true });
const words = process.argv.slice(2);
const isWanted = (file) =>
  words.length === 0 || words.some((word) => basename(file).includes(word));
const workspace = openWorkspace();
try {
  const { passed, failed, skipped } = runTests(testFiles(ROOT, 'languages').filter(isWanted), {
    concurrency: 1,
    workspace,
  });
  process.stdout.write(`\n${passed} passed, ${failed} failed, ${skipped} skipped\n`);
  process.exitCode = failed === 0 ? 0 : 1;
} finally {
  closeWorkspace(workspace);
}
