// `npm run fronts`: the tests that need all the web servers; apart from `npm test`, because of what they install.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { installDebianPackages } from './lib/debian.mjs';
import { ROOT } from './lib/run.mjs';
import { closeWorkspace, openWorkspace, runTests, testFiles } from './lib/test-run.mjs';
import { setup } from './setup.mjs';

const list = readFileSync(join(ROOT, 'scripts/packages-fronts.txt'), 'utf8');
process.stdout.write(`${installDebianPackages(list.trim().split('\n'))}\n`);
setup({ build: true });
const workspace = openWorkspace();
try {
  const { passed, failed, skipped } = runTests(testFiles(ROOT, 'fronts'), {
    concurrency: 1,
    workspace,
  });
  process.stdout.write(`\n${passed} passed, ${failed} failed, ${skipped} skipped\n`);
  process.exitCode = failed === 0 ? 0 : 1;
} finally {
  closeWorkspace(workspace);
}
