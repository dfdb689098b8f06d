// `npm run package-test`: the Debian package in a clean Debian under a real systemd: installed, used, restarted under
// load, upgraded, purged. As root; some minutes; needs the network the first time. Not part of npm test.
// `npm run package-test -- bookworm` tries the package that brings its own Node.
// `npm run package-test -- limits` tries the kernel's limits and walls in a virtual machine of this system, whose kernel has them.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { BootedRoot } from './lib/booted-root.mjs';
import { cleanRoot } from './lib/clean-root.mjs';
import { installDebianPackages } from './lib/debian.mjs';
import { STEPS } from './lib/package-steps.mjs';
import { Complaint, fail, ROOT, run } from './lib/run.mjs';
import { runSteps } from './lib/steps.mjs';

const LIMITS = 'limits';

/** How the package is made for each Debian: the own Node of the first one is too old. The last is the default. */
const RELEASES = { bookworm: ['--with-node'], trixie: [], [LIMITS]: ['--with-node'] };
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

const packageFile = () =>
  join(
    ROOT,
    'build',
    readdirSync(join(ROOT, 'build')).find((it) => it.endsWith('.deb')),
  );

/** In a virtual machine that sees this file system, with what `npm test` has installed. */
function tryLimits() {
  const program = join(ROOT, 'scripts/lib/package-limits.mjs');
  const inside = [process.execPath, program, packageFile()];
  return run(process.execPath, [join(ROOT, 'scripts/vm.mjs'), '--systemd', ...inside]).ok;
}

async function inside(root) {
  const directory = mkdtempSync(join(tmpdir(), 'usherd-package-'));
  const file = packageFile();
  const booted = await BootedRoot.boot(root, {
    readOnly: { '/package': dirname(file), '/load': join(ROOT, 'scripts/lib') },
    log: join(directory, 'console'),
  });
  try {
    if ((await runSteps(booted, STEPS, `/package/${basename(file)}`)) > 0) process.exitCode = 1;
  } finally {
    booted.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

try {
  if (process.argv[2] === INSIDE) {
    await inside(process.argv[3]);
  } else {
    if (process.getuid() !== 0) throw new Complaint('package-test needs root.');
    const packages = installDebianPackages(TOOLS);
    if (packages !== '') process.stdout.write(`packages: ${packages}\n`);
    const release = process.argv[2] ?? 'trixie';
    const options = RELEASES[release];
    if (options === undefined)
      throw new Complaint(`${release} is none of ${Object.keys(RELEASES).join(', ')}`);
    if (!run(process.execPath, [join(ROOT, 'scripts/deb.mjs'), ...options]).ok)
      throw new Complaint('no package');
    const isWell = release === LIMITS ? tryLimits() : enterNamespaces(cleanRoot(release));
    if (!isWell) process.exitCode = 1;
  }
} catch (err) {
  fail(err);
}
