// The uids and gids that supervisor and router run with, from the configuration or the account database.
import type { Config } from '../config/index.js';
import { UsherdError, type Finding } from '../errors.js';
import type { Ids } from './child-argv.js';
import { findTool, runTool } from './system-tools.js';

/** One line of passwd(5) or group(5), by name; undefined if there is no such account or group. */
export type Lookup = (
  database: 'passwd' | 'group',
  name: string,
) => Promise<readonly string[] | undefined>;

/**
 * The ids of the router's account and of the front sockets' groups.
 * @throws UsherdError E_STARTUP_IDENTITY with every name that is missing
 */
export async function serviceIds(config: Config, lookup: Lookup = getent): Promise<Ids> {
  const findings: Finding[] = [];
  const router = await routerAccount(config, lookup);
  if (router === undefined) findings.push(missingRouter(config.identity.routerUser));
  const frontGids: number[] = [];
  for (const group of new Set(config.front.sockets.map((socket) => socket.group))) {
    const isRouters = group === config.identity.routerUser && config.users.has(group);
    const gid = isRouters ? router?.routerGid : idIn(await lookup('group', group), GROUP_GID);
    if (gid === undefined) findings.push(missingGroup(group));
    else frontGids.push(gid);
  }
  if (router !== undefined && findings.length === 0) return { ...router, frontGids };
  const names = findings.map(({ path = '' }) => path).join(', ');
  throw new UsherdError('E_STARTUP_IDENTITY', names, { findings });
}

// Columns of passwd(5) and group(5).
const PASSWD_UID = 2;
const PASSWD_GID = 3;
const GROUP_GID = 2;

async function routerAccount(
  config: Config,
  lookup: Lookup,
): Promise<Pick<Ids, 'routerUid' | 'routerGid'> | undefined> {
  const { routerUser } = config.identity;
  const own = config.users.get(routerUser)?.account;
  if (own !== undefined) return { routerUid: own.uid, routerGid: own.gid };
  const line = await lookup('passwd', routerUser);
  const routerUid = idIn(line, PASSWD_UID);
  const routerGid = idIn(line, PASSWD_GID);
  return routerUid === undefined || routerGid === undefined ? undefined : { routerUid, routerGid };
}

const ID_MAX = 2 ** 31 - 2;

/** An id that is neither root's nor too large for setpriv(1). */
function idIn(line: readonly string[] | undefined, column: number): number | undefined {
  const text = line?.[column] ?? '';
  const id = /^[1-9]\d{0,9}$/.test(text) ? Number(text) : 0;
  return id >= 1 && id <= ID_MAX ? id : undefined;
}

/** Asks getent(1), and so whatever nsswitch.conf(5) names, in a process that can be killed. */
const getent: Lookup = async (database, name) => {
  const path = (await findTool('getent')) ?? '/usr/bin/getent';
  const { exitCode, stdout } = await runTool(path, [database, '--', name]);
  const lines = stdout.split('\n').filter((line) => line !== '');
  const fields = lines[0]?.split(':') ?? [];
  return exitCode === 0 && lines.length === 1 && fields[0] === name ? fields : undefined;
};

const missingRouter = (name: string): Finding => ({
  rule: 'router-account',
  path: name,
  found: `no account ${name} other than root's`,
  expected: 'an account of its own for the router ([identity] router_user)',
  remedy: `useradd --system --no-create-home --shell /usr/sbin/nologin ${name}`,
});

const missingGroup = (name: string): Finding => ({
  rule: 'front-group',
  path: name,
  found: `no group ${name} other than root's`,
  expected: 'the group of the web server ([front] sockets)',
  remedy: 'name the group that your web server runs with in [front] sockets',
});
