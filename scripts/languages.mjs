// `npm run languages`: the tests that need every language.
// `npm run languages -- ruby` runs the files whose names have that word.
import { runKind } from './lib/kind-run.mjs';

runKind('languages', process.argv.slice(2));
