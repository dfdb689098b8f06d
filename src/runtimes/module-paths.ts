// Where modules of Python, Perl and Ruby lie: on Debian, where their own installers put them, and in a user's home.
//
// Rather one place too many: an application that would run must not be refused.
import type { RuntimeNeed } from '../config/index.js';

/** A package, of any version of Python 3. */
export const pythonModule = (name: string): readonly string[] =>
  [
    '/usr/lib/python3/dist-packages',
    '/usr/local/lib/python3*/dist-packages',
    '/usr/local/lib/python3*/site-packages',
    '/usr/lib/python3*/site-packages',
    '~/.local/lib/python3*/site-packages',
  ].map((directory) => `${directory}/${name}/__init__.py`);

/** What `bin/python` of a virtual environment leads to goes with an upgrade of the machine. */
export const environmentPython = (directory: string): RuntimeNeed => ({
  what: `Python of the virtual environment ${directory}/`,
  paths: [`${directory}/bin/python`],
  remedy: `make ${directory}/ anew: python3 -m venv --clear ${directory}, then ${directory}/bin/pip install -r requirements.txt`,
});

/** `FCGI::ProcManager`, of any version of Perl and any machine. */
export function perlModule(name: string): readonly string[] {
  const file = `${name.replaceAll('::', '/')}.pm`;
  return [
    '/usr/share/perl5',
    '/usr/lib/*/perl5/*',
    '/usr/local/share/perl/*',
    '/usr/local/lib/*/perl/*',
    '/usr/local/lib/site_perl',
    '/etc/perl',
    '/usr/share/perl5/vendor_perl',
    '/usr/lib*/perl5/vendor_perl',
    '/usr/local/share/perl5',
    '/usr/local/share/perl5/*',
    '/usr/local/lib*/perl5',
    '/usr/local/lib*/perl5/*',
  ].map((directory) => `${directory}/${file}`);
}

/** Of any version of Ruby. */
export const rubyGem = (name: string): readonly string[] => [
  ...[
    '/usr/share/rubygems-integration/*/gems',
    '/usr/lib/*/rubygems-integration/*/gems',
    '/var/lib/gems/*/gems',
    '/usr/lib/ruby/gems/*/gems',
    '/usr/local/lib/ruby/gems/*/gems',
    '~/.local/share/gem/ruby/*/gems',
    '~/.gem/ruby/*/gems',
  ].map((directory) => `${directory}/${name}-*`),
  `/usr/lib/ruby/vendor_ruby/${name}.rb`,
];
