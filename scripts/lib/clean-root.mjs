// A clean Debian in a directory, made by debootstrap once and kept: where the package is tried as a newcomer would.
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { Complaint, run } from './run.mjs';

/** What an administrator has before usherd comes; nodejs is what the package asks for. */
const PACKAGES = [
  'systemd',
  'systemd-sysv',
  'apache2',
  'php-cgi',
  'nodejs',
  'curl',
  'man-db',
  'procps',
  'zsh',
];
const PLACE = '/var/cache/usherd-package-test';
const COMPLETE = '.complete';

function must(file, args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };
  const { found, ok, output } = run(file, args, { quiet: true, env });
  if (!found) throw new Complaint(`${file} is not installed.`);
  if (!ok)
    throw new Complaint(`${output.split('\n').slice(-20).join('\n')}\n${file} failed, see above.`);
}

/**
 * The directory of a clean root of that release. Made anew when its list of packages has changed; needs the network then.
 * @param {string} release such as `trixie`
 */
export function cleanRoot(release) {
  const root = `${PLACE}/${release}`;
  const stamp = `${root}/${COMPLETE}-${PACKAGES.join('-')}`;
  if (existsSync(stamp)) return root;
  process.stdout.write(`making a clean ${release} in ${root} (debootstrap, some minutes)\n`);
  rmSync(root, { recursive: true, force: true });
  mkdirSync(PLACE, { recursive: true });
  must('debootstrap', ['--variant=minbase', release, root]);
  cpSync('/etc/resolv.conf', `${root}/etc/resolv.conf`, { dereference: true });
  // Nothing is started while it is only a directory.
  writeFileSync(`${root}/usr/sbin/policy-rc.d`, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  const install = `mount -t proc proc ${root}/proc && chroot ${root} sh -c 'apt-get -q update && apt-get -q -y --no-install-recommends install ${PACKAGES.join(' ')}'`;
  must('unshare', ['--mount', 'sh', '-c', install]);
  rmSync(`${root}/usr/sbin/policy-rc.d`);
  writeFileSync(stamp, '');
  return root;
}
