// `npm run soak [-- NAME...] [-- --short]`: the endurance runs in full, one after the other, with their figures. Needs root.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { installDebianPackages } from './lib/debian.mjs';
import { ROOT } from './lib/run.mjs';
import { setup } from './setup.mjs';

const args = process.argv.slice(2);
const packages = installDebianPackages();
if (packages !== '') process.stdout.write(`packages: ${packages}\n`);
setup({ build: true });
const { soak } = await import(pathToFileURL(join(ROOT, 'dist/test/soak/soak.js')).href);
const failed = await soak({
  names: args.filter((arg) => !arg.startsWith('--')),
  scale: args.includes('--short') ? 'short' : 'full',
});
process.stdout.write(`\n${failed} not as promised\n`);
process.exitCode = failed === 0 ? 0 : 1;
