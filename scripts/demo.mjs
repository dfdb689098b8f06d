// `npm run demo`: makes the checkout ready, then becomes `usherd demo` in this very process, so that signals meant for it reach it.
import { fail, ROOT } from './lib/run.mjs';
import { setup } from './setup.mjs';

try {
  setup({ build: true });
  const main = `${ROOT}/dist/src/main.js`;
  process.argv.splice(1, 1, main, 'demo');
  await import(main);
} catch (err) {
  fail(err);
}
