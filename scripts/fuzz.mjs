// `npm run fuzz [-- ROUNDS [SEED]]`: the long run of test/fuzz. What it finds new stays in test/fuzz/corpus, for the tests.
import { fail, ROOT, run } from './lib/run.mjs';
import { setup } from './setup.mjs';

try {
  setup({ build: true });
  const { ok } = run(process.execPath, [
    `${ROOT}/dist/test/fuzz/fuzz.js`,
    ...process.argv.slice(2),
  ]);
  if (!ok) process.exitCode = 1;
} catch (err) {
  fail(err);
}
