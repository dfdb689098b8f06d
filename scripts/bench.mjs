// `npm run bench`: usherd and what it replaces, on one machine, in one run. As root on Debian; the programs are installed by apt.
// It runs in namespaces of its own, with private copies of /etc, /srv and /run: no account, port or file of the machine is touched.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installDebianPackages } from './lib/debian.mjs';
import { Complaint, fail, ROOT } from './lib/run.mjs';
import { setup } from './setup.mjs';

const STAGE = `
set -eu
mount --make-rprivate /
mkdir "$1/etc"
cp -a /etc/. "$1/etc/"
mount --bind "$1/etc" /etc
mount -t tmpfs -o mode=755 tmpfs /srv
mount -t tmpfs -o mode=755 tmpfs /run
ip link set lo up
shift
"$@"
`;

try {
  if (process.getuid() !== 0)
    throw new Complaint('npm run bench needs root: it starts processes of many users.');
  const list = readFileSync(join(ROOT, 'scripts/packages-bench.txt'), 'utf8');
  process.stdout.write(`${installDebianPackages(list.trim().split('\n'))}\n`);
  setup({ build: true });
  const stage = mkdtempSync(join(tmpdir(), 'usherd-bench-'));
  chmodSync(stage, 0o755); // users run programs below it
  const namespaces = [
    '--mount',
    '--pid',
    '--fork',
    '--kill-child',
    '--mount-proc',
    '--ipc',
    '--net',
  ];
  const program = [
    process.execPath,
    join(ROOT, 'dist/bench/peers/main.js'),
    '--stage',
    stage,
    ...process.argv.slice(2),
  ];
  const { status } = spawnSync(
    '/usr/bin/unshare',
    [...namespaces, '/bin/sh', '-c', STAGE, 'stage', stage, ...program],
    { stdio: 'inherit', cwd: ROOT },
  );
  if (existsSync(stage)) rmSync(stage, { recursive: true });
  process.exitCode = status ?? 1;
} catch (err) {
  fail(err);
}
