// `npm run deb`: the Debian package, from this checkout and its installed production packages, by debhelper.
// `-- --with-node` puts the running Node into it, for systems whose own is too old. Prints the path of the package.
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { Complaint, fail, ROOT, run } from './lib/run.mjs';
import { configurationReference, manualPages } from './manual.mjs';
import { setup } from './setup.mjs';

const HOME = 'usr/lib/usherd';
/** The oldest Node of package.json's `engines`. */
const NODE_MIN = '20.19';

const { version, files } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const output = join(ROOT, 'build');
const source = join(output, 'source');
const tree = join(source, 'tree');

/** @returns what the program printed */
function capture(file, args, options = {}) {
  const { found, ok, output: said } = run(file, args, { quiet: true, ...options });
  if (!found)
    throw new Complaint(`${file} is not installed. On Debian: apt-get install dpkg-dev debhelper`);
  if (!ok) throw new Complaint(`${said}\n${file} failed, see above.`);
  return said.trim();
}

function copy(from, to, filter) {
  const target = join(tree, to);
  mkdirSync(dirname(target), { recursive: true });
  cpSync(join(ROOT, from), target, { recursive: true, filter, dereference: true });
}

/** Compiled programs and what they load; types, maps, pages and dot files are for developers. */
const isNeeded = (path) =>
  !/(\.(d\.[cm]?ts|map|tsbuildinfo|md|html)|\/\.[^/]+)$/.test(path) &&
  !/\/(benchmarks|docs|test|tests)$/.test(path);

/** Without what running them left behind. */
const isSource = (path) => !path.endsWith('__pycache__');

/** Every package that production needs, where npm put it; nothing is fetched. */
function copyPackages() {
  const listed = capture('npm', ['ls', '--omit=dev', '--all', '--parseable']).split('\n');
  for (const directory of listed.filter((path) => path !== ROOT)) {
    const path = relative(ROOT, directory);
    // A package inside another one is listed by itself if it is needed.
    copy(path, `${HOME}/${path}`, (file) => {
      const below = relative(directory, file);
      return isNeeded(file) && !/(^|\/)(node_modules|src)(\/|$)/.test(below);
    });
  }
}

/** What `files` of package.json names, but for what belongs to /usr/share/doc. */
function copyProgram() {
  copy('package.json', `${HOME}/package.json`);
  const isDocument = (path) => path === 'docs' || /^[A-Z]+(\.md)?$/.test(path);
  for (const path of files.filter((it) => !isDocument(it))) {
    copy(path, `${HOME}/${path}`, path === 'dist/src' ? isNeeded : isSource);
  }
  copyPackages();
}

function copyIntegration() {
  copy('conf.example/usherd.toml', 'etc/usherd/usherd.toml');
  mkdirSync(join(tree, 'etc/usherd/users.d'), { recursive: true });
  copy('conf.example/apache/usherd.conf', 'etc/apache2/conf-available/usherd.conf');
  copy('conf.example/nginx/usherd.conf', 'etc/nginx/conf.d/usherd.conf');
  for (const name of ['locations', 'users', 'app', 'params']) {
    copy(`conf.example/nginx/usherd-${name}.conf`, `etc/nginx/snippets/usherd-${name}.conf`);
  }
  for (const name of ['README.md', 'CHANGELOG.md', 'docs'])
    copy(name, `usr/share/doc/usherd/${name}`);
}

/** Debian's own node is a small program with a large library, which would have to come along; an upstream build is whole. */
function bundleNode() {
  const node = realpathSync(process.execPath);
  if (/libnode\.so/.test(capture('ldd', [node]))) {
    throw new Complaint(`${node} needs libnode.so: run this with a Node from its makers.`);
  }
  const places = [join(dirname(node), '../LICENSE'), '/usr/share/doc/nodejs/LICENSE'];
  const licence = places.find((path) => existsSync(path));
  if (licence === undefined) throw new Complaint(`no licence of ${node} in ${places.join(', ')}`);
  const target = join(tree, HOME, 'node');
  cpSync(node, target);
  chmodSync(target, 0o755);
  cpSync(licence, join(tree, 'usr/share/doc/usherd/node-LICENSE'));
}

/** debian/ of packaging/, with what only this moment knows. */
function writePackaging(withNode) {
  const debian = join(source, 'debian');
  cpSync(join(ROOT, 'packaging/debian'), debian, { recursive: true });
  const maintainer = `${process.env.DEBFULLNAME ?? 'Local build'} <${process.env.DEBEMAIL ?? 'root@localhost'}>`;
  copyUnits(debian, withNode ? `/${HOME}/node` : '/usr/bin/node');
  const fill = (name, values) => {
    const text = readFileSync(join(debian, name), 'utf8');
    writeFileSync(
      join(debian, name),
      text.replace(/@([A-Z]+)@/g, (_, key) => values[key]),
    );
  };
  fill('control', {
    MAINTAINER: maintainer,
    ARCHITECTURE: withNode ? 'any' : 'all',
    NODE: withNode ? 'libc6' : `nodejs (>= ${NODE_MIN})`,
  });
  const licence = readFileSync(join(ROOT, 'LICENSE'), 'utf8').trim().split('\n').slice(2);
  fill('copyright', { LICENSE: licence.map((line) => ` ${line === '' ? '.' : line}`).join('\n') });
  const date = capture('date', ['--rfc-email', `--date=@${lastChange()}`]);
  const entry = `usherd (${version}) unstable; urgency=medium\n\n  * See CHANGELOG.md.\n\n -- ${maintainer}  ${date}\n`;
  writeFileSync(join(debian, 'changelog'), entry);
}

/** Under the names by which debhelper finds them; it knows where its Debian wants units, and when to start them. */
function copyUnits(debian, node) {
  const systemd = join(ROOT, 'conf.example/systemd');
  for (const name of readdirSync(systemd).filter((it) => !it.endsWith('.d'))) {
    const target = name.startsWith('usherd.') ? name : `usherd.${name}`;
    const text = readFileSync(join(systemd, name), 'utf8');
    writeFileSync(join(debian, target), text.replaceAll('/usr/bin/node', node));
  }
  for (const kind of ['sysusers', 'tmpfiles']) {
    cpSync(join(systemd, `${kind}.d/usherd.conf`), join(debian, `usherd.${kind}`));
  }
}

async function writeManual() {
  const { allCommands } = await import(`${ROOT}/dist/src/cli/index.js`);
  mkdirSync(join(source, 'man'));
  writeFileSync(join(tree, 'usr/share/doc/usherd/docs/configuration.md'), configurationReference());
  for (const [name, page] of Object.entries(manualPages(await allCommands()))) {
    writeFileSync(join(source, 'man', name), page);
  }
}

/** Where bash and zsh look by themselves. */
function writeCompletion() {
  const places = {
    bash: 'usr/share/bash-completion/completions/usherd',
    zsh: 'usr/share/zsh/vendor-completions/_usherd',
  };
  for (const [shell, place] of Object.entries(places)) {
    const env = { ...process.env, SHELL: `/bin/${shell}`, ZSH_NAME: shell === 'zsh' ? 'zsh' : '' };
    const text = capture(process.execPath, [join(ROOT, 'dist/src/main.js'), 'completion'], { env });
    const question = 'usherd --get-yargs-completions';
    if (!text.includes(question)) {
      throw new Complaint(`no completion for ${shell}: ${text.slice(0, 200)}`);
    }
    mkdirSync(dirname(join(tree, place)), { recursive: true });
    // The variable says what somebody's login shell is; the answer has to be for the one that asks.
    const asked = text.replace(question, `SHELL=/bin/${shell} ${question}`);
    writeFileSync(join(tree, place), `${asked}\n`);
  }
}

/** Seconds: the same commit makes the same package. */
function lastChange() {
  const { ok, output: said } = run('git', ['log', '-1', '--format=%ct'], { quiet: true });
  return process.env.SOURCE_DATE_EPOCH ?? (ok ? said.trim() : '0');
}

try {
  const withNode = process.argv.includes('--with-node');
  setup({ build: true });
  rmSync(output, { recursive: true, force: true });
  mkdirSync(tree, { recursive: true });
  copyProgram();
  copyIntegration();
  if (withNode) bundleNode();
  await writeManual();
  writeCompletion();
  writePackaging(withNode);
  const env = { ...process.env, SOURCE_DATE_EPOCH: lastChange(), DH_VERBOSE: '' };
  capture('dpkg-buildpackage', ['--build=binary', '--no-sign'], { cwd: source, env });
  const [name] = readdirSync(output).filter((it) => it.endsWith('.deb'));
  process.stdout.write(`${join(output, name)}\n`);
} catch (err) {
  fail(err);
}
