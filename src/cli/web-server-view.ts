// Whether the web server gets as far as an application's directory. Where it does not, it answers 403 by itself, and usherd never hears of the request.
import { join, sep } from 'node:path';
import type { Config } from '../config/index.js';
import type { Finding } from '../errors.js';
import { reasons } from './failure.js';
import { currentMode } from './mode.js';
import { findTool, runTool } from './system-tools.js';

/** nobody: what it may enter for its group, the group may enter. */
const NOBODY = 65_534;
const ID = /^[1-9]\d{0,9}$/;

/** Somebody who is as a web server would be: setpriv(1) with what makes it him. */
interface Passer {
  readonly name: string;
  readonly argv: readonly string[];
}

/** Lines for a person; none if it may enter, or if that cannot be tried. The directory is there. */
export async function webServerNote(
  config: Config,
  user: string,
  directory: string,
): Promise<readonly string[]> {
  const barrier = currentMode() === 'root' ? await barrierOf(config, user, directory) : undefined;
  if (barrier === undefined) return [];
  return [
    '',
    'No request gets here through the web server:',
    ...reasons('E_APP_UNKNOWN', [barrier]),
  ];
}

async function barrierOf(
  { front }: Config,
  user: string,
  directory: string,
): Promise<Finding | undefined> {
  const sockets = front.sockets.filter((socket) => (socket.user ?? user) === user);
  let found: Finding | undefined;
  for (const group of new Set(sockets.map((socket) => socket.group))) {
    const passer = await passerOf(group);
    const path = passer === undefined ? undefined : await firstClosed(passer, directory);
    if (passer === undefined || path === undefined) return undefined; // one web server is enough
    found ??= findingOf(path, passer, group);
  }
  return found;
}

/** The account that is called like the group, as web servers are packaged, with all of its groups; else the group alone. */
async function passerOf(group: string): Promise<Passer | undefined> {
  const [setpriv, test] = [await findTool('setpriv'), await findTool('test')];
  if (setpriv === undefined || test === undefined) return undefined;
  const [uid, gid] = [await idOf('passwd', group), await idOf('group', group)];
  if (gid === undefined) return undefined;
  const whole = ['--inh-caps=-all', '--no-new-privs', '--', test, '-x'];
  return uid === undefined
    ? {
        name: `the group ${group}`,
        argv: [setpriv, `--reuid=${NOBODY}`, `--regid=${gid}`, '--clear-groups', ...whole],
      }
    : {
        name: `the account ${group}`,
        argv: [setpriv, `--reuid=${uid}`, `--regid=${gid}`, '--init-groups', ...whole],
      };
}

async function idOf(database: 'passwd' | 'group', name: string): Promise<string | undefined> {
  const getent = await findTool('getent');
  if (getent === undefined) return undefined;
  const { stdout } = await runTool(getent, [database, '--', name]);
  const id = stdout.split(':')[2] ?? '';
  return ID.test(id) ? id : undefined;
}

/** The kernel says it, access control lists and all. */
async function firstClosed(passer: Passer, directory: string): Promise<string | undefined> {
  if (await mayEnter(passer, directory)) return undefined;
  let path: string = sep;
  for (const name of directory.split(sep)) {
    path = join(path, name);
    if (!(await mayEnter(passer, path))) return path;
  }
  return undefined; // opened meanwhile
}

async function mayEnter({ argv: [file = '', ...args] }: Passer, path: string): Promise<boolean> {
  const { exitCode } = await runTool(file, [...args, path]);
  return exitCode !== 1; // anything else is no answer
}

const findingOf = (path: string, { name }: Passer, group: string): Finding => ({
  rule: 'web-server-search',
  path,
  found: `a directory that ${name} may not enter`,
  expected:
    'one that the web server may pass: it answers 403 by itself, and usherd never hears of it',
  remedy: `chmod o+x ${path}, or for the web server alone setfacl -m g:${group}:x ${path}`,
});
