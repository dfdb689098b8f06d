// `usherd explain`: what an application is and why, as its user sees it; and everything that refuses it, with remedies.
import { realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { formatUmask, readVhosts, type Config } from '../config/index.js';
import { ERRORS, ExitCode, UsherdError, type Finding } from '../errors.js';
import type { Seen } from '../spawner/lean.js';
import {
  appPlace,
  foreignNote,
  mountOfUrl,
  visitApp,
  type AppPlace,
  type AppVisit,
} from './app-visit.js';
import { textOf, type Arguments } from './command.js';
import { loadConfiguration } from './configuration.js';
import { currentMode } from './mode.js';
import { devPlace } from './dev-place.js';
import { reasons } from './failure.js';
import { scriptFinding } from './script-look.js';
import { shellWord } from './shell-words.js';
import { print } from './terminal.js';
import { meaningOfUrl, runtimeOfUrl, type AskedUrl, type Meaning } from './url-meaning.js';
import { webServerNote } from './web-server-view.js';

const LABEL_WIDTH = 13;

const row = (label: string, text: string): string => `  ${label.padEnd(LABEL_WIDTH)}${text}`;

/** Values of the manifest's [env] may be passwords: they are named, not shown. */
function environmentLines({ order, blueprint }: Seen): readonly string[] {
  return order.environment.map((setting) => {
    const name = setting.slice(0, setting.indexOf('='));
    return blueprint.manifestEnvironment.has(name) ? `${name}=… (usherd.toml)` : setting;
  });
}

function limitText({ blueprint }: Seen): string {
  const { limits, maxWorkersPerUser } = blueprint.facts;
  const seconds = (ms: number): string => `${ms / 1000} s`;
  return [
    `${limits.maxWorkersPerApp} workers, ${maxWorkersPerUser} for all of the user`,
    `${blueprint.concurrency} request${blueprint.concurrency === 1 ? '' : 's'} each at once`,
    `idle ${seconds(limits.idleTimeoutMs)}`,
    `first byte ${seconds(limits.firstByteTimeoutMs)}`,
    `processes ${limits.pidsMax}`,
    `memory ${limits.memoryMaxBytes === 0 ? 'unlimited' : `${limits.memoryMaxBytes} bytes`}`,
  ].join('; ');
}

/** What the web server serves from files: of a program's application only what is meant for it. */
function webRootText({ blueprint, input }: Seen, isScript: boolean): string {
  const { webRoot } = blueprint.facts;
  if (webRoot !== '') return `${input.directory}/${webRoot}`;
  return isScript ? input.directory : 'none; with a directory public/ it would be that';
}

function isolationText({ blueprint }: Seen): string {
  const { walls, connect } = blueprint;
  if (connect !== '') return 'none: the program is somebody else’s';
  if (walls === undefined) return 'none';
  const shown = walls.visible.slice(1);
  return [
    'strict: sees the system, itself and its own processes',
    ...(shown.length === 0 ? [] : [`also ${shown.join(' ')}`]),
    walls.showsHome ? 'and its home' : 'not its home',
  ].join('; ');
}

function identityText({ plan, order }: Seen): string {
  const groups = plan.groups.join(' ') || 'none';
  return `uid ${plan.uid}, gid ${plan.gid}, groups ${groups}, umask ${formatUmask(order.umask)}`;
}

function described(seen: Seen, isScript: boolean): readonly string[] {
  const { blueprint, input, plan, order } = seen;
  const hasSecrets = input.marks.some(({ name }) => name === '.env');
  return [
    row('runtime', `${blueprint.runtime} (because of ${blueprint.because})`),
    row('found', input.marks.map(({ name }) => name).join(' ') || 'nothing that is looked for'),
    row('web root', webRootText(seen, isScript)),
    row('runs as', identityText(seen)),
    row('command', order.argv.map(shellWord).join(' ')),
    row('speaks', blueprint.protocol),
    ...environmentLines(seen).map((line, at) => row(at === 0 ? 'environment' : '', line)),
    ...(hasSecrets ? [row('', 'and .env, which each worker reads as its user')] : []),
    row('limits', limitText(seen)),
    row('isolation', isolationText(seen)),
    row('cgroup', `…/u${plan.uid}/, where cgroups are (usherd status says)`),
    row('package', blueprint.debianPackage || '–'),
    '',
  ];
}

function refused(code: keyof typeof ERRORS, findings: readonly Finding[]): readonly string[] {
  return [`usherd refuses it: ${ERRORS[code].meaning} (${code})`, ...reasons(code, findings)];
}

const isScript = ({ runtimes }: Config, { blueprint }: Seen): boolean =>
  runtimes.get(blueprint.runtime)?.kind === 'script';

function lines(
  config: Config,
  seen: AppVisit,
  { app, note }: { readonly app: string; readonly note: string | undefined },
): readonly string[] {
  const { account, directory, outcome } = seen;
  const whose =
    currentMode() === 'root'
      ? `of ${account.name} (uid ${account.uid})`
      : `as you see it (uid ${account.uid})`;
  const head = [`${directory} is ${app}, ${whose}`, ''];
  const known = outcome.ok ? outcome : outcome.seen;
  return [
    ...head,
    ...(known === undefined ? [] : described(known, isScript(config, known))),
    ...(outcome.ok ? [`usherd would serve ${app}.`] : refused(outcome.code, outcome.findings)),
    ...(outcome.ok || note === undefined ? [] : ['', note]),
  ];
}

const URL_FORM = /^https?:\/\//;

interface Asked {
  /** For appPlace(). */
  readonly argument: string;
  /** Undefined where it was no URL. */
  readonly url?: AskedUrl;
}

/** A path that names an application does so on every host; any other is that of the host's link in root's directory of them. */
async function withoutHost({ apps }: Config, argument: string): Promise<Asked> {
  const isWhole = URL_FORM.test(argument) && URL.canParse(argument);
  const { hostname, pathname } = isWhole
    ? new URL(argument)
    : { hostname: '', pathname: argument.replace(/[?#].*$/s, '') };
  const { mount } = mountOfUrl(apps.roots, pathname) ?? {};
  if (mount !== undefined) {
    return { argument: pathname, url: { mount, path: pathname.slice(mount.length) } };
  }
  if (!isWhole) return { argument };
  const { links, findings } = await readVhosts(apps.vhosts, currentMode() === 'root');
  const directory = links.get(hostname);
  if (directory !== undefined) {
    return { argument: directory, url: { mount: '', path: pathname } };
  }
  // A link that is not believed is none; what is wrong with those of others says nothing here.
  const link = join(apps.vhosts, hostname);
  const why = findings.filter(({ path = link }) => path === link || path === apps.vhosts);
  throw new UsherdError('E_APP_UNKNOWN', argument, {
    findings: why.length > 0 ? why : [missingLink(apps.vhosts, hostname)],
  });
}

const missingLink = (vhosts: string, host: string): Finding => ({
  rule: 'vhost-missing',
  ...(vhosts !== '' && { path: join(vhosts, host) }),
  found: vhosts === '' ? '[apps] vhosts is off' : 'no link',
  expected: 'a link, or a virtual host of the web server with a DocumentRoot of its own',
  remedy: `usherd vhost add ${shellWord(host)} USER/APP; if it has a DocumentRoot, usherd explain that`,
});

/** For somebody who is not root every directory is one that `usherd dev` would serve. @throws UsherdError E_USAGE */
function placeOf(config: Config, argument: string): { config: Config; place: AppPlace } {
  try {
    return { config, place: appPlace(config, argument, process.cwd()) };
  } catch (err) {
    if (currentMode() === 'root' || !isDirectory(argument)) throw err;
    const { root } = devPlace(realpathSync(argument));
    const own: Config = { ...config, apps: { ...config.apps, roots: [root], mode: 'development' } };
    return { config: own, place: appPlace(own, realpathSync(argument), '/') };
  }
}

const isDirectory = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** What the URL runs, and what refuses that; only of an application that nothing refuses. */
async function urlLines(
  config: Config,
  place: AppPlace,
  seen: Seen,
  url: AskedUrl,
): Promise<{ readonly isServed: boolean; readonly text: readonly string[] }> {
  const meaning = meaningOfUrl(config, url, seen);
  if (!meaning.ok) {
    const finding = { rule: 'url', found: meaning.detail, expected: '', remedy: '' };
    return { isServed: false, text: refused(meaning.code, [finding]) };
  }
  const text = ['', row('this URL', meaningText(meaning, url))];
  if (meaning.kind === 'program') return { isServed: true, text };
  const finding = await scriptFinding(config, place, {
    file: meaning.file,
    directory: seen.input.directory,
    user: place.user,
    wantedRuntime: seen.input.wantedRuntime,
    isProgram: seen.blueprint.runtime === 'cgi',
  });
  if (finding === undefined) return { isServed: true, text };
  return { isServed: false, text: [...text, '', ...refused('E_SCRIPT_MISSING', [finding])] };
}

function meaningText(
  { kind, file, pathInfo }: Meaning & { ok: true },
  { mount }: AskedUrl,
): string {
  const rest = pathInfo === '' ? '' : `, PATH_INFO ${pathInfo}`;
  if (kind === 'program') return `the program, SCRIPT_NAME '${mount}'${rest}`;
  return kind === 'script'
    ? `${file}${rest}`
    : `${file}${rest}, unless it is a file that the web server sends`;
}

/** The way of a request ends before usherd where the web server may not enter. */
function barrierNote(
  config: Config,
  { user }: AppPlace,
  { directory, outcome }: AppVisit,
): Promise<readonly string[]> {
  if (!outcome.ok) return Promise.resolve([]);
  return webServerNote(config, user, join(directory, outcome.blueprint.facts.webRoot));
}

export async function explain(args: Arguments): Promise<number> {
  const config = await loadConfiguration(textOf(args, 'config'));
  const { argument, url } = await withoutHost(config, String(args['app']));
  const { config: seenBy, place } = placeOf(config, argument);
  const wanted = url === undefined ? '' : runtimeOfUrl(seenBy, url);
  const seen = await visitApp(seenBy, place, undefined, wanted);
  // Of a directory that usherd would not serve for anybody else, nobody else's view is of use.
  const note = seenBy === config ? foreignNote(place) : undefined;
  const told = lines(seenBy, seen, { app: place.app, note });
  print([...told, ...(await barrierNote(seenBy, place, seen))].join('\n'));
  const { outcome } = seen;
  if (!outcome.ok) return ExitCode.FAILED;
  if (url === undefined) return ExitCode.OK;
  const { isServed, text } = await urlLines(seenBy, place, outcome, url);
  print(text.join('\n'));
  return isServed ? ExitCode.OK : ExitCode.FAILED;
}
