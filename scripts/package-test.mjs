// `npm run package-test`: the Debian package in a clean Debian under a real systemd: installed, used, restarted under
// load, upgraded, purged. As root; some minutes; needs the network the first time. Not part of npm test.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BootedRoot } from './lib/booted-root.mjs';
import { cleanRoot } from './lib/clean-root.mjs';
import { installDebianPackages } from './lib/debian.mjs';
import { STEPS } from './lib/package-steps.mjs';
import { Complaint, fail, ROOT, run } from './lib/run.mjs';

/** The first Debian whose own Node is new enough. */
const RELEASE = 'trixie';
const TOOLS = ['debhelper', 'debootstrap', 'dpkg-dev', 'man-db', 'systemd-container'];
const INSIDE = '--inside';

/** Again, as the first process of namespaces of our own: the container sees nothing of the machine, and ends with us. */
function enterNamespaces(root) {
  const self = [process.execPath, import.meta.filename, INSIDE, root];
  const unshare = [
    '--mount',
    '--pid',
    '--fork',
    '--kill-child',
    '--mount-proc',
    '--ipc',
    '--net',
    '--uts',
  ];
  const script = 'ip link set lo up; exec "$@"';
  return run('unshare', [...unshare, 'sh', '-c', script, 'sh', ...self]).ok;
}

async function inside(root) {
  const directory = mkdtempSync(join(tmpdir(), 'usherd-package-'));
  const build = join(ROOT, 'build');
  const name = readdirSync(build).find((it) => it.endsWith('.deb'));
  const booted = await BootedRoot.boot(root, {
    readOnly: { '/package': build, '/load': join(ROOT, 'scripts/lib') },
    log: join(directory, 'console'),
  });
  const counts = { passed: 0, failed: 0 };
  try {
    for (const [title, step] of STEPS) {
      const startMs = performance.now();
      const problem = await step(booted, `/package/${name}`);
      counts[problem === undefined ? 'passed' : 'failed'] += 1;
      const took = `${((performance.now() - startMs) / 1000).toFixed(1)} s`;
      process.stdout.write(`${problem === undefined ? 'ok    ' : 'FAILED'} ${title} (${took})\n`);
      if (problem === undefined) continue;
      process.stdout.write(`${problem}\n`);
      if (step === STEPS[0][1]) break; // Without an installed package there is nothing to try.
    }
  } finally {
    booted.stop();
    rmSync(directory, { recursive: true, force: true });
  }
  process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed\n`);
  if (counts.failed > 0) process.exitCode = 1;
}

try {
  if (process.argv[2] === INSIDE) {
    await inside(process.argv[3]);
  } else {
    if (process.getuid() !== 0) throw new Complaint('package-test needs root.');
    const packages = installDebianPackages(TOOLS);
    if (packages !== '') process.stdout.write(`packages: ${packages}\n`);
    if (!run(process.execPath, [join(ROOT, 'scripts/deb.mjs')]).ok)
      throw new Complaint('no package');
    if (!enterNamespaces(cleanRoot(RELEASE))) process.exitCode = 1;
  }
} catch (err) {
  fail(err);
}
