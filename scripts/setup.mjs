// Makes the checkout ready to run: packages as the lock file says, and with --build the compiled program. Silent when there is nothing to do.
import { existsSync, lstatSync, readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { Complaint, fail, ROOT, run, tool } from './lib/run.mjs';

const OLDEST = [20, 19];

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return;
  throw new Complaint(
    `usherd needs Node ${OLDEST.join('.')} or newer; this is ${process.version} (${process.execPath}).`,
  );
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch (err) {
    if (err.code === 'ENOENT' || err instanceof SyntaxError) return undefined;
    throw err;
  }
}

/**
 * Compares what npm installed with what the lock file asks for.
 * By content, not by age: a checkout gives every file a new date, a restored cache an old one.
 */
export function packagesAreCurrent(root) {
  const wanted = readPackages(`${root}/package-lock.json`);
  const installed = readPackages(`${root}/node_modules/.package-lock.json`);
  if (wanted === undefined) throw new Complaint('package-lock.json is missing or broken.');
  if (installed === undefined) return false;
  const isMet = ([path, entry]) =>
    path === '' || (installed[path] ?? (entry.optional ? entry : {})).version === entry.version;
  return (
    Object.entries(wanted).every(isMet) && Object.keys(installed).every((path) => path in wanted)
  );
}

function installPackages() {
  if (packagesAreCurrent(ROOT)) return;
  const folder = `${ROOT}/node_modules`;
  if (existsSync(folder) && lstatSync(folder).isSymbolicLink()) {
    // npm ci would empty the directory behind the link, which others use.
    throw new Complaint(
      'node_modules is a link and does not match package-lock.json; run npm ci where it points to.',
    );
  }
  process.stdout.write('setup: installing the packages of package-lock.json (npm ci)\n');
  const { found, ok } = run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  if (!found) throw new Complaint('npm is not installed. On Debian: apt-get install npm');
  if (!ok) {
    throw new Complaint(
      'npm ci failed, see above. It needs the package registry once: is the network there (npm ping)?',
    );
  }
}

function build() {
  const [file, ...args] = [...tool('typescript/bin/tsc'), '-p', 'tsconfig.json'];
  const { ok, output } = run(file, args, { quiet: true });
  if (!ok) throw new Complaint(`${output}\nThe build failed, see above.`);
}

/** @param {{ build: boolean }} wanted */
export function setup(wanted) {
  checkNode();
  installPackages();
  if (wanted.build) build();
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    setup({ build: process.argv.includes('--build') });
  } catch (err) {
    fail(err);
  }
}
