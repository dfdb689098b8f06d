// Which applications have a log that the caller may read: names for completion, from the router's own directories.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { APP_ID, type Places } from '../config/lean.js';
import { currentMode } from './mode.js';
import { ownName } from './own-name.js';

/** More than anybody reads in a list of offers. */
const USERS_MAX_COUNT = 2_000;
const SUFFIX = '.log';

/** For root those of everybody, as `alice/blog`; for anybody else his own, as `blog`. */
export async function loggedApplications({ log }: Pick<Places, 'log'>): Promise<readonly string[]> {
  if (currentMode() === 'self') {
    const user = ownName();
    if (user === undefined) return [];
    return (await logsOf(log, user)).map((id) => id.slice(user.length + 1));
  }
  const users = (await namesIn(log)).slice(0, USERS_MAX_COUNT);
  return (await Promise.all(users.map((user) => logsOf(log, user)))).flat();
}

async function logsOf(directory: string, user: string): Promise<readonly string[]> {
  const files = await namesIn(join(directory, user));
  return files
    .filter((name) => name.endsWith(SUFFIX))
    .map((name) => `${user}/${name.slice(0, -SUFFIX.length)}`)
    .filter((id) => APP_ID.test(id));
}

/** None where there is nothing, or nothing for the caller. */
const namesIn = (directory: string): Promise<readonly string[]> =>
  readdir(directory).catch(() => []);
