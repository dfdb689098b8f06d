// `npm run fronts`: the tests that need all the web servers.
// `npm run fronts -- urls` runs the files whose names have that word.
import { runKind } from './lib/kind-run.mjs';

runKind('fronts', process.argv.slice(2));
