// The long runs of test/fuzz: `npm run fuzz [-- ROUNDS [SEED]]` for each part that takes bytes of others,
// `npm run fuzz -- router [ROUNDS [SEED]]` for a whole router. What they find new stays in test/fuzz/corpus, for the tests.
// `npm run fuzz -- orders [ROUNDS [SEED [WORKER]]]`: random orders of requests, departures and deaths at real workers.
import { fail, ROOT, run } from './lib/run.mjs';
import { setup } from './setup.mjs';

const [first, ...rest] = process.argv.slice(2);
const isNamed = first === 'router' || first === 'orders';
const [program, args] = isNamed ? [`${first}-run`, rest] : ['fuzz', process.argv.slice(2)];

try {
  setup({ build: true });
  const { ok } = run(process.execPath, [`${ROOT}/dist/test/fuzz/${program}.js`, ...args]);
  if (!ok) process.exitCode = 1;
} catch (err) {
  fail(err);
}
