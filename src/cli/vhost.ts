// `usherd vhost add|remove|list`: root's links from host names to applications, which web server and router follow.
//
// A link is given to the user whose application it leads to, though he cannot change it: a web server that compares the
// owners of a link and of what it leads to (SymLinksIfOwnerMatch) then goes to nobody else's files, whatever the user has
// put into the place of his application.
import { randomBytes } from 'node:crypto';
import { chmod, lchown, lstat, mkdir, readlink, rename, symlink, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  APP_ID,
  HOST_NAME,
  applicationAt,
  applicationDirectory,
  directoryFindings,
  readVhosts,
  shown,
  trustedUids,
  type Config,
} from '../config/index.js';
import { ExitCode, isUsherdError, UsherdError, type Finding } from '../errors.js';
import { accountOf } from './app-visit.js';
import { textOf, type Arguments } from './command.js';
import { oneOf, VHOST_ACTIONS, type VhostAction } from './command-words.js';
import { loadConfiguration } from './configuration.js';
import { currentMode } from './mode.js';
import { complain, print } from './terminal.js';
import { retellTokens } from './token.js';

type Act = (config: Config, args: Arguments) => Promise<number>;
const ACTIONS: Readonly<Record<VhostAction, Act>> = { add, remove, list };

export async function vhost(args: Arguments): Promise<number> {
  const name = textOf(args, 'action') ?? '';
  const action = oneOf(VHOST_ACTIONS, name);
  if (action === undefined) {
    throw new UsherdError('E_USAGE', `${shown(name)} is none of ${VHOST_ACTIONS.join(', ')}`);
  }
  const config = await loadConfiguration(textOf(args, 'config'));
  if (config.apps.vhosts === '') {
    throw new UsherdError('E_VHOST', 'vhosts in [apps] is "", which turns them off');
  }
  try {
    return await ACTIONS[action](config, args);
  } catch (err) {
    throw err instanceof UsherdError ? err : systemError(config.apps.vhosts, err);
  }
}

async function add(config: Config, args: Arguments): Promise<number> {
  const host = hostOf(args);
  const target = targetOf(config, textOf(args, 'app') ?? '');
  const { vhosts } = config.apps;
  await openDirectory(vhosts);
  const path = join(vhosts, host);
  const found = await leadsTo(path);
  if (found !== undefined && found !== target && args['replace'] !== true) {
    throw refused(path, {
      found: `${host} leads to ${found}`,
      expected: 'a host that leads nowhere yet',
      remedy: `usherd vhost add --replace ${host} …, or usherd vhost remove ${host}`,
    });
  }
  const [user = ''] = usersOf(config, [target]);
  const owner = await ownerOf(config, user);
  await link(target, path, owner);
  print(
    found === target
      ? `${host} leads to ${target} already`
      : `${host} leads to ${target}: web server and usherd follow it within a second`,
  );
  if (owner === undefined) {
    complain(`there is no account ${user} that usherd serves: once there is, add the host again`);
  }
  await remark(config, target);
  await retellTokens(config, usersOf(config, [target, found]));
  return ExitCode.OK;
}

async function remove(config: Config, args: Arguments): Promise<number> {
  const { vhosts } = config.apps;
  const host = hostOf(args);
  const path = join(vhosts, host);
  const found = await leadsTo(path);
  if (found === undefined) {
    throw refused(path, {
      found: `no virtual host ${host}`,
      expected: 'one of `usherd vhost list`',
      remedy: 'see `usherd vhost list`',
    });
  }
  await openDirectory(vhosts);
  await unlink(path);
  print(`${host} leads nowhere any more; ${found} itself is as it was`);
  await retellTokens(config, usersOf(config, [found]));
  return ExitCode.OK;
}

async function list(config: Config, args: Arguments): Promise<number> {
  const { vhosts, roots } = config.apps;
  const { links, findings } = await readVhosts(vhosts, currentMode() === 'root');
  const rows = [...links].sort(([one], [other]) => (one < other ? -1 : 1));
  const table = rows.map(([host, directory]) => {
    return { host, directory, app: applicationAt(roots, directory) ?? null };
  });
  if (args['json'] === true) print(JSON.stringify(table, undefined, 2));
  else for (const row of table) print(rowOf(row));
  if (table.length === 0 && findings.length === 0 && args['json'] !== true) {
    complain(`no virtual hosts in ${vhosts}: \`usherd vhost add HOST USER/APP\` makes one`);
  }
  for (const { path = vhosts, found, remedy } of findings) {
    complain(`${path}: ${found}\n    remedy:   ${remedy}`);
  }
  return findings.length === 0 ? ExitCode.OK : ExitCode.FAILED;
}

const rowOf = (row: { host: string; directory: string; app: string | null }): string =>
  `${row.host}  ${row.app ?? `${row.directory} (below no root of [apps]: answers 404)`}`;

function hostOf(args: Arguments): string {
  const text = textOf(args, 'host') ?? '';
  const host = text.toLowerCase().replace(/\.$/, '');
  if (HOST_NAME.test(host)) return host;
  throw new UsherdError('E_USAGE', `${shown(text)} is no host name, such as blog.example.org`);
}

/** By name in the first root, or by directory in any. */
function targetOf({ apps: { roots } }: Config, text: string): string {
  if (APP_ID.test(text)) {
    const [user = '', app = ''] = text.split('/');
    return applicationDirectory(roots[0] ?? '', user, app);
  }
  const directory = text.replace(/\/+$/, '');
  const app = applicationAt(roots, directory);
  if (app !== undefined && APP_ID.test(app)) return directory;
  const expected = `USER/APP, as in alice/blog, nor a directory like ${roots.join(' or ')}`;
  throw new UsherdError('E_USAGE', `${shown(text)} is neither ${expected}`);
}

/** Made if it is missing; refused if anybody else could put a link into it. */
async function openDirectory(path: string): Promise<void> {
  const trusted = trustedUids(currentMode() === 'root');
  const parents = await directoryFindings(dirname(path), trusted);
  if (parents.length > 0) throw unsafe(parents);
  if ((await lstat(path).catch(orUndefined)) === undefined) {
    await mkdir(path);
    await chmod(path, 0o755); // whatever the umask: the web server goes through it
  }
  const findings = await directoryFindings(path, trusted);
  if (findings.length > 0) throw unsafe(findings);
}

/** The text of a link; undefined if there is nothing. */
async function leadsTo(path: string): Promise<string | undefined> {
  const stats = await lstat(path).catch(orUndefined);
  if (stats === undefined || stats.isSymbolicLink()) {
    return stats === undefined ? undefined : (await readlink(path)).replace(/\/+$/, '');
  }
  throw refused(path, {
    found: 'something that is no link',
    expected: 'a link, or nothing',
    remedy: 'see what it is, and remove it',
  });
}

type Owner = Readonly<Record<'uid' | 'gid', number>>;

/** Undefined for an account that is not there, or refused: its link stays root's, and leads Apache nowhere. */
async function ownerOf(config: Config, user: string): Promise<Owner | undefined> {
  try {
    return await accountOf(config, user);
  } catch (err) {
    if (isUsherdError(err)) return undefined;
    throw err;
  }
}

/** In one step, so that no request finds the host without its link. */
async function link(target: string, path: string, owner: Owner | undefined): Promise<void> {
  const draft = join(dirname(path), `.${randomBytes(8).toString('hex')}`);
  await symlink(target, draft);
  if (owner !== undefined) await lchown(draft, owner.uid, owner.gid);
  await rename(draft, path);
}

/** Only the user's own directory is looked at: what is below it belongs to him. */
async function remark({ apps: { roots } }: Config, target: string): Promise<void> {
  const app = applicationAt(roots, target) ?? '';
  const [user = ''] = app.split('/');
  const home = target.slice(0, target.indexOf(`/${user}/`) + user.length + 1);
  if ((await lstat(home).catch(orUndefined)) !== undefined) return;
  print(`there is no ${home} yet: until there is, the answer is 404`);
}

/** Whose applications these are. */
const usersOf = ({ apps: { roots } }: Config, targets: readonly (string | undefined)[]): string[] =>
  targets.flatMap((target) => {
    const app = target === undefined ? undefined : applicationAt(roots, target);
    return app === undefined ? [] : [app.slice(0, app.indexOf('/'))];
  });

const orUndefined = (err: unknown): undefined => {
  if (err instanceof Error && 'code' in err && err.code === 'ENOENT') return undefined;
  throw err;
};

const unsafe = (findings: readonly Finding[]): UsherdError =>
  new UsherdError('E_VHOST', 'somebody else could make virtual hosts', { findings });

const refused = (path: string, what: Omit<Finding, 'rule' | 'path'>): UsherdError =>
  new UsherdError('E_VHOST', path, { findings: [{ rule: 'vhost', path, ...what }] });

function systemError(path: string, err: unknown): UsherdError {
  const code = err instanceof Error && 'code' in err ? String(err.code) : String(err);
  const isDenied = code === 'EACCES' || code === 'EPERM';
  return refused(path, {
    found: `an error of the system: ${code}`,
    expected: 'a directory of root that root may change',
    remedy: isDenied ? 'run it as root' : `see what is wrong with ${path}`,
  });
}
