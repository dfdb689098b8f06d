// The long runs of test/fuzz: `npm run fuzz [-- ROUNDS [SEED]]` for each part that takes bytes of others,
// `npm run fuzz -- router [ROUNDS [SEED]]` for a whole router. What they find new stays in test/fuzz/corpus, for the tests.
import { fail, ROOT, run } from './lib/run.mjs';
import { setup } from './setup.mjs';

const [first, ...rest] = process.argv.slice(2);
const [program, args] = first === 'router' ? ['router-run', rest] : ['fuzz', process.argv.slice(2)];

try {
  setup({ build: true });
  const { ok } = run(process.execPath, [`${ROOT}/dist/test/fuzz/${program}.js`, ...args]);
  if (!ok) process.exitCode = 1;
} catch (err) {
  fail(err);
}
