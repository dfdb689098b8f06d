// `npm run applications`: real applications from Debian's packages, driven as a browser would.
// `npm run applications -- wiki` runs the files whose names have that word.
import { runKind } from './lib/kind-run.mjs';

runKind('applications', process.argv.slice(2));
