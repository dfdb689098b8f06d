// Programs that the tests drive, installed by apt where that is possible: only what is missing, only as root, only on Debian and its kin.
import { existsSync } from 'node:fs';
import { run } from './run.mjs';

/** Debian package and what the tests use it for. */
const PACKAGES = [
  ['apache2', 'the web server in front'],
  ['bubblewrap', 'walls around isolated applications'],
  ['curl', 'a client that is not ours'],
  ['fcgiwrap', 'the CGI runtime'],
  ['gcc', 'compiles the libfcgi worker'],
  ['libc6-dev', 'compiles the libfcgi worker'],
  ['libfcgi-perl', 'the Perl runtime'],
  ['libfcgi-procmanager-perl', 'the Perl runtime'],
  ['libplack-perl', 'the Perl runtime'],
  ['libfcgi-dev', 'a worker by the library that most C programs use'],
  ['man-db', 'renders the manual pages'],
  ['perl-base', 'the smallest worker that needs no package'],
  ['php-cgi', 'the PHP runtime'],
  ['procps', 'looks at processes from outside'],
  ['strace', 'shows what root really does'],
  ['systemd', 'judges the units (systemd-analyze); it need not run'],
  ['uwsgi-plugin-python3', 'the Python runtime'],
  ['util-linux', 'prlimit and setpriv, the launch chain'],
];

const isInstalled = (name) => {
  const { ok, output } = run('dpkg-query', ['-W', '-f=${Status}', name], { quiet: true });
  return ok && output.trim().endsWith(' installed');
};

/**
 * Installs what is missing. Failing is no reason to stop: the tests that need a program skip without it, visibly.
 * @param more packages besides those of `npm test`
 * @returns one line that says what happened, '' if there was nothing to do
 */
export function installDebianPackages(more = []) {
  if (!existsSync('/etc/debian_version') || !existsSync('/usr/bin/apt-get')) return '';
  const wanted = [...PACKAGES.map(([name]) => name), ...more];
  const missing = wanted.filter((name) => !isInstalled(name));
  if (missing.length === 0) return '';
  if (process.getuid() !== 0) return `not installed (needs root): ${missing.join(' ')}`;
  process.stdout.write(`packages: installing ${missing.join(' ')} (apt-get)\n`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  run('apt-get', ['-qq', 'update'], { quiet: true, env });
  const install = ['-qq', 'install', '-y', '--no-install-recommends', ...missing];
  const { ok, output } = run('apt-get', install, { quiet: true, env });
  if (ok) return `installed: ${missing.join(' ')}`;
  process.stdout.write(`${output.trimEnd().split('\n').slice(-5).join('\n')}\n`);
  return `apt-get could not install: ${missing.join(' ')}`;
}
