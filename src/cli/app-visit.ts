// From a directory, USER/APP or URL path to the application as its user sees it: for `explain`, `check`, `config` and `run-as`.
import { openSync } from 'node:fs';
import { resolve } from 'node:path';
import { APP_ID, applicationDirectory, type Config } from '../config/index.js';
import { UsherdError } from '../errors.js';
import { closeInheritedDescriptors, findTools, type Account } from '../privdrop/index.js';
import { markNames } from '../runtimes/index.js';
import {
  accountsOf,
  type CgroupTree,
  visit,
  type Descriptors,
  type Visited,
  type VisitRefusal,
} from '../spawner/lean.js';
import type { Ids } from './child-argv.js';
import { currentMode } from './mode.js';
import { describe } from './describe.js';
import { ownName } from './own-name.js';
import { serviceIds } from './service-ids.js';

/** Where an application would be, by the configured roots. */
export interface AppPlace {
  readonly user: string;
  /** `user/app` */
  readonly app: string;
  readonly directories: readonly string[];
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Matches the directories of a root, and what is in them. */
const rootExpression = (root: string): RegExp => {
  const pattern = escaped(root)
    .replace('\\{user\\}', '(?<user>[^/]+)')
    .replace('\\{app\\}', '(?<name>[^/]+)');
  return new RegExp(`^(?<own>${pattern})(?:/|$)`);
};

const urlExpression = (root: string): RegExp => {
  const between = root.slice(root.indexOf('{user}') + '{user}'.length, root.indexOf('{app}'));
  return new RegExp(`^/(?:~|%7[Ee])(?<user>[^/]+)${escaped(between)}(?<name>[^/?#]+)`);
};

interface Mount {
  /** `user/app` */
  readonly app: string;
  /** `/~alice/apps/blog` */
  readonly mount: string;
}

/** Of the path of a URL, as the shipped configurations of web servers map it: `/~alice/apps/blog/…`. */
export function mountOfUrl(roots: readonly string[], path: string): Mount | undefined {
  for (const root of roots) {
    const match = urlExpression(root).exec(path);
    const { user = '', name = '' } = match?.groups ?? {};
    const app = `${user}/${name}`;
    if (match !== null && APP_ID.test(app)) return { app, mount: match[0] };
  }
  return undefined;
}

/** `alice/blog`, or the directory of an application, or anything in it, or the path of its URL. @throws UsherdError E_USAGE */
export function appPlace(config: Config, argument: string, workingDirectory: string): AppPlace {
  const { roots } = config.apps;
  const named = APP_ID.test(argument) ? argument : mountOfUrl(roots, argument)?.app;
  if (named !== undefined) return placeByName(roots, named);
  const directory = resolve(workingDirectory, argument);
  for (const root of roots) {
    const { own = '', user = '', name = '' } = rootExpression(root).exec(directory)?.groups ?? {};
    const app = `${user}/${name}`;
    if (APP_ID.test(app)) return { user, app, directories: [own] };
  }
  const detail = `${directory} is no application: those are at ${roots.join(', ')}`;
  throw new UsherdError('E_USAGE', detail);
}

function placeByName(roots: readonly string[], app: string): AppPlace {
  const [user = '', name = ''] = app.split('/');
  return { user, app, directories: roots.map((root) => applicationDirectory(root, user, name)) };
}

/** What somebody who is not root has to know of a refusal: everything was looked at as himself. Undefined where it is his, or he is root. */
export function foreignNote({ user, app }: AppPlace): string | undefined {
  if (currentMode() === 'root' || ownName() === user) return undefined;
  return `you are not root, so this is how it is for you (uid ${process.getuid?.() ?? '?'}); \`sudo usherd explain ${app}\` looks as ${user}`;
}

const routerOf = ({ routerUid, routerGid }: Ids): { uid: number; gid: number } => ({
  uid: routerUid,
  gid: routerGid,
});

/** The account as the supervisor would take it. @throws UsherdError with the rule that refuses it */
export async function accountOf(config: Config, user: string): Promise<Account> {
  const mode = currentMode();
  const router = mode === 'root' ? routerOf(await serviceIds(config)) : { uid: -1, gid: -1 };
  const result = await accountsOf({ mode, tools: findTools(), router }, config).lookup(user);
  if (result.ok) return result.account;
  throw new UsherdError(result.code, `account ${user}`, { findings: [result.finding] });
}

export interface AppVisit {
  readonly account: Account;
  readonly directory: string;
  readonly outcome: Visited | VisitRefusal;
}

/**
 * For a launcher that only looks. It has the user's uid, and other processes of his may trace it: a terminal of root's that
 * it held would be theirs to read from.
 */
export function nowhere(): Descriptors {
  const fd = openSync('/dev/null', 'r+');
  return [fd, fd, fd];
}

/** What is to run there, with which descriptors, and in which group. */
export interface Errand {
  readonly command: readonly string[];
  readonly descriptors: Descriptors;
  readonly cgroups: CgroupTree | undefined;
}

/** Looks, and runs what there is to run. @throws UsherdError */
export async function visitApp(
  config: Config,
  { user, app, directories }: AppPlace,
  errand?: Errand,
  wantedRuntime = '',
): Promise<AppVisit> {
  const account = await accountOf(config, user);
  closeInheritedDescriptors();
  let last: AppVisit | undefined;
  for (const directory of directories) {
    const outcome = await visit({
      mode: currentMode(),
      tools: findTools(),
      ...{ config, account, user, app, directory, describe, wantedRuntime },
      markNames: ({ runtimes }) => markNames(runtimes),
      ...(errand ?? { descriptors: nowhere() }),
    });
    last = { account, directory, outcome };
    if (outcome.ok || outcome.code !== 'E_APP_UNKNOWN') break;
  }
  if (last === undefined) throw new UsherdError('E_APP_UNKNOWN', 'no root is configured');
  return last;
}
