// `usherd token …`: makes, exchanges and takes away the secrets by which a web server proves whose virtual host a request is for.
import { parseDuration, shown, USER_NAME, type Config } from '../config/index.js';
import { ExitCode, UsherdError } from '../errors.js';
import { textOf, type Arguments } from './command.js';
import { oneOf, TOKEN_ACTIONS, TOKEN_KEEP_DEFAULT, type TokenAction } from './command-words.js';
import { loadConfiguration } from './configuration.js';
import { currentMode } from './mode.js';
import { prepareDirectories } from './prepare-directories.js';
import { serviceIds } from './service-ids.js';
import { complain, print } from './terminal.js';
import { STATUS_PAGE, TokenFiles, type TokenDigest, type TokenOwners } from './token-files.js';

type Act = (files: TokenFiles, args: Arguments) => Promise<void>;

const ACTIONS: Readonly<Record<TokenAction, Act>> = {
  new: (files: TokenFiles, args: Arguments) => create(files, userOf(args)),
  rotate: (files: TokenFiles, args: Arguments) => rotate(files, userOf(args), keepMs(args)),
  revoke: (files: TokenFiles, args: Arguments) => revoke(files, userOf(args)),
  list: (files: TokenFiles) => list(files),
};

export async function token(args: Arguments): Promise<number> {
  const name = textOf(args, 'action') ?? '';
  const action = oneOf(TOKEN_ACTIONS, name);
  if (action === undefined) {
    throw new UsherdError('E_USAGE', `${shown(name)} is none of ${TOKEN_ACTIONS.join(', ')}`);
  }
  const config = await loadConfiguration(textOf(args, 'config'));
  const files = new TokenFiles(config, await ownersOf(config));
  process.umask(0o077);
  await prepareDirectories(files.directories());
  await ACTIONS[action](files, args);
  if (config.front.authentication === 'none' && textOf(args, 'user') !== STATUS_PAGE) {
    complain('tokens are not asked for: [front] authentication is "none"');
  }
  return ExitCode.OK;
}

/** After a change of virtual hosts: those of these users who have a token have it there, too, and nowhere else any more. */
export async function retellTokens(config: Config, users: readonly string[]): Promise<void> {
  if (config.front.authentication === 'none') return;
  const files = new TokenFiles(config, await ownersOf(config));
  const told: string[] = [];
  for (const user of new Set(users)) if (await files.retell(user)) told.push(user);
  if (told.length > 0) print(`tokens written for ${told.join(', ')}: apachectl graceful`);
}

async function ownersOf(config: Config): Promise<TokenOwners> {
  if (currentMode() === 'root') {
    const { routerGid } = await serviceIds(config);
    return { uid: 0, gid: 0, routerGid };
  }
  const gid = process.getgid?.() ?? -1;
  return { uid: process.getuid?.() ?? -1, gid, routerGid: gid };
}

function userOf(args: Arguments): string {
  const user = textOf(args, 'user') ?? '';
  if (user === STATUS_PAGE || USER_NAME.test(user)) return user;
  throw new UsherdError('E_USAGE', `${shown(user)} is neither an account name nor ${STATUS_PAGE}`);
}

function keepMs(args: Arguments): number {
  const text = textOf(args, 'keep') ?? TOKEN_KEEP_DEFAULT;
  const ms = text === '0' ? 0 : parseDuration(text);
  if (ms !== undefined) return ms;
  throw new UsherdError('E_USAGE', `--keep ${shown(text)} is not a duration such as "24h", or 0`);
}

async function create(files: TokenFiles, user: string): Promise<void> {
  if ((await files.digests(user)).length > 0) {
    throw new UsherdError('E_USAGE', `${user} has a token; exchange it with token rotate ${user}`);
  }
  await files.write(user, []);
  explain(files, user);
}

async function rotate(files: TokenFiles, user: string, keepForMs: number): Promise<void> {
  const [current] = await files.digests(user);
  if (current === undefined) throw new UsherdError('E_USAGE', `${user} has no token`);
  const untilMs = Date.now() + keepForMs;
  await files.write(user, keepForMs === 0 ? [] : [{ sha256: current.sha256, untilMs }]);
  const end = keepForMs === 0 ? 'refused from now on' : `accepted until ${formatTime(untilMs)}`;
  print(`the old token of ${user} is ${end}`);
  explain(files, user);
}

async function revoke(files: TokenFiles, user: string): Promise<void> {
  await files.remove(user);
  const what = user === STATUS_PAGE ? 'the status page' : `${user}'s applications`;
  print(`${user} has no token any more; requests for ${what} are refused`);
}

async function list(files: TokenFiles): Promise<void> {
  const users = await files.users();
  if (users.length === 0) complain('nobody has a token: `usherd token new USER` makes one');
  for (const user of users) {
    const old = (await files.digests(user)).find(({ untilMs }) => untilMs > Date.now());
    print(old === undefined ? user : `${user}  (the one before is accepted ${oldUntil(old)})`);
  }
}

const oldUntil = ({ untilMs }: TokenDigest): string => `until ${formatTime(untilMs)}`;

const formatTime = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

/** The secret itself is never printed: terminals and logs keep what they see. */
function explain(files: TokenFiles, user: string): void {
  if (user === STATUS_PAGE) {
    print(`Apache:  ${files.apache(user)}  (usherd apache-config usherd-status.conf includes it)`);
    print(`nginx:   ${files.nginx(user)}  (usherd nginx-config usherd-status.conf includes it)`);
    print('Reload the web server now: apachectl graceful, nginx -s reload.');
    return;
  }
  print(`Apache:  ${files.apache(user)}  (conf.example/apache/usherd.conf reads it)`);
  print(`nginx:   include ${files.nginx(user)};  in the virtual host of ${user}, and nowhere else`);
  print('Reload the web server now: apachectl graceful, nginx -s reload.');
}
