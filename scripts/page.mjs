// `npm run page`: the status page in a real Chromium.
// `npm run page -- pictures` makes those of docs/pictures anew.
import { runKind } from './lib/kind-run.mjs';

if (process.argv.includes('pictures')) process.env.USHERD_PICTURES = '1';
runKind('page');
