// The throw-away tree of the demo: accounts that need no passwd entry, their applications, and a configuration.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  lchownSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { stageProgram, type Program } from './demo-program.js';
import { isReachable } from './reachable.js';

const FIRST_UID = 52_000;
const UIDS_NEEDED = 3;
/** What a worker gets as PATH: where an application's `#!/usr/bin/env node` is looked for. */
const WORKER_PATH = '/usr/local/bin:/usr/bin:/bin';
const PHP = '/usr/bin/php-cgi';

export interface DemoAccount {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

export interface DemoApp {
  readonly owner: DemoAccount;
  readonly app: string;
  readonly title: string;
  /** Path below the gateway. */
  readonly path: string;
}

export interface DemoTree {
  readonly directory: string;
  readonly isRoot: boolean;
  readonly program: Program;
  readonly router: DemoAccount;
  readonly apps: readonly DemoApp[];
  readonly root: string;
  readonly configFile: string;
  readonly frontSocket: string;
  readonly logFile: string;
}

const EXAMPLES = [
  { user: 'alice', app: 'hello-node', title: 'a Node program' },
  { user: 'bob', app: 'hello-perl', title: 'a Perl program' },
  { user: 'alice', app: 'blog', title: 'PHP' },
  { user: 'bob', app: 'shop', title: 'PHP' },
] as const;

const isKnown = (database: string, id: number): boolean =>
  spawnSync('/usr/bin/getent', [database, String(id)], { env: {}, stdio: 'ignore' }).status === 0;

function isTaken(id: number): boolean {
  if (isKnown('passwd', id) || isKnown('group', id)) return true;
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.some((pid) => statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid === id);
}

/** The first of some neighbouring ids that no account, group or process has. */
function unusedIds(): number {
  let first = FIRST_UID;
  for (let id = first; id < first + UIDS_NEEDED; id += 1) {
    if (isTaken(id)) first = id + 1;
  }
  return first;
}

function chooseAccounts(isRoot: boolean): Record<'router' | 'alice' | 'bob', DemoAccount> {
  const first = isRoot ? unusedIds() : 0;
  const account = (name: string, offset: number): DemoAccount => ({
    name,
    uid: isRoot ? first + offset : (process.getuid?.() ?? 0),
    gid: isRoot ? first + offset : (process.getgid?.() ?? 0),
  });
  return {
    router: account('usherd-demo-router', 0),
    alice: account('alice', 1),
    bob: account('bob', 2),
  };
}

/** Gives a new tree to its owner. No one else is at work in it yet, so walking by path is safe here. */
function giveTo(path: string, owner: DemoAccount): void {
  lchownSync(path, owner.uid, owner.gid);
  if (statSync(path).isDirectory()) {
    chmodSync(path, 0o755);
    for (const name of readdirSync(path)) giveTo(join(path, name), owner);
  } else {
    chmodSync(path, path.endsWith('.fcgi') ? 0o755 : 0o644);
  }
}

/** Lets a Node script name the Node that runs the demo where a worker's PATH has none. */
function nameInterpreter(script: string, node: string): void {
  if (WORKER_PATH.split(delimiter).some((folder) => existsSync(join(folder, 'node')))) return;
  const text = readFileSync(script, 'utf8');
  writeFileSync(script, text.replace(/^#!.*env node\n/, `#!${node}\n`));
}

/** Who the accounts are. Not root, there is one account for all, and usherd takes it by itself. */
function identityText(tree: Omit<DemoTree, 'program'>, accounts: readonly DemoAccount[]): string {
  if (!tree.isRoot) return '';
  const sections = accounts.map(({ name, uid, gid }) => {
    const home = text(join(tree.directory, 'srv', name));
    return `[users.${name}]\nuid = ${uid}\ngid = ${gid}\nhome = ${home}\n`;
  });
  return `\n[identity]\nrouter_user = ${text(tree.router.name)}\n\n${sections.join('\n')}`;
}

const text = (value: string): string => JSON.stringify(value); // a TOML basic string for these characters

function configText(tree: Omit<DemoTree, 'program'>, accounts: readonly DemoAccount[]): string {
  const { directory, router } = tree;
  return `# Written by \`usherd demo\`, removed when it ends.
[paths]
run = ${text(join(directory, 'run'))}
log = ${text(join(directory, 'log'))}
state = ${text(join(directory, 'state'))}

[front]
sockets = [{ path = ${text(tree.frontSocket)}, group = ${text(router.name)} }]

[apps]
roots = [${text(tree.root)}]
${identityText(tree, accounts)}`;
}

/** Makes everything that the demo needs on disk. The caller removes `directory`. */
export function makeTree(directory: string): DemoTree {
  const isRoot = process.getuid?.() === 0;
  chmodSync(directory, 0o755);
  const accounts = chooseAccounts(isRoot);
  const program = stageProgram(directory, isRoot);
  const apps: DemoApp[] = [];
  for (const { user, app, title } of EXAMPLES) {
    if (title === 'PHP' && !existsSync(PHP)) continue;
    const to = join(directory, 'srv', user, 'apps', app);
    cpSync(join(program.examples, user, 'apps', app), to, { recursive: true });
    apps.push({ owner: accounts[user], app, title, path: `/~${user}/apps/${app}/` });
  }
  nameInterpreter(join(directory, 'srv/alice/apps/hello-node/app.fcgi'), program.node);
  for (const user of ['alice', 'bob'] as const)
    giveTo(join(directory, 'srv', user), accounts[user]);
  const tree = {
    directory,
    isRoot,
    router: accounts.router,
    apps,
    root: join(directory, 'srv/{user}/apps/{app}'),
    configFile: join(directory, 'usherd.toml'),
    frontSocket: join(directory, 'run/front/front.sock'),
    logFile: join(directory, 'usherd.log'),
  };
  writeFileSync(tree.configFile, configText(tree, Object.values(accounts)), { mode: 0o644 });
  return { ...tree, program };
}

/** A fresh directory. As root not below a private one (pam_tmpdir makes those), where the other accounts would see nothing. */
export function makeDirectory(): string {
  const isPrivate = process.getuid?.() === 0 && !isReachable(tmpdir());
  return mkdtempSync(join(isPrivate ? '/tmp' : tmpdir(), 'usherd-demo-'));
}
