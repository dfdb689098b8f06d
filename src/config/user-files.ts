// users.d: a file for each user of whom something else holds than of others. What is wrong with one of them is kept apart from the rest.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { LIMITS } from '../limits.js';
import { USER_NAME } from './names.js';
import type { ReadOptions } from './read-text.js';
import { Refusals } from './refusals.js';
import { userFileSchema, type UserTable } from './schema.js';
import { readSource, type SourceFile } from './source-file.js';

export interface UserFiles {
  /** What is sound of each. */
  readonly files: ReadonlyMap<string, SourceFile<UserTable>>;
  /** By user, or by what stands in the place of a user's name. */
  readonly troubles: ReadonlyMap<string, Refusals>;
}

/** In the order of names. */
export async function readUserFiles(
  directory: string,
  options: Omit<ReadOptions, 'mustExist'>,
): Promise<UserFiles> {
  const files = new Map<string, SourceFile<UserTable>>();
  const troubles = new Map<string, Refusals>();
  for (const user of await userFileNames(directory, options.refusals)) {
    const path = join(directory, `${user}.toml`);
    const refusals = new Refusals();
    if (USER_NAME.test(user)) {
      const file = await readSource(path, userFileSchema, {
        ...options,
        refusals,
        mustExist: true,
      });
      if (typeof file !== 'string') files.set(user, file);
    } else {
      refusals.addFile(path, BAD_NAME);
    }
    if (refusals.findings.length > 0) troubles.set(user, refusals);
  }
  return { files, troubles };
}

const BAD_NAME = {
  found: 'a file name that is no account name',
  expected: 'NAME.toml, where NAME is the account',
  remedy: 'rename or remove the file',
};

/** Dot files and everything without .toml are editors' and packagers' leavings. */
async function userFileNames(directory: string, refusals: Refusals): Promise<readonly string[]> {
  const users = (await entries(directory, refusals))
    .filter((name) => name.endsWith('.toml') && !name.startsWith('.'))
    .map((name) => name.slice(0, -'.toml'.length))
    .sort();
  if (users.length <= LIMITS.configUserFilesMaxCount) return users;
  refusals.addFile(directory, {
    found: `${users.length} files`,
    expected: `at most ${LIMITS.configUserFilesMaxCount}`,
    remedy: 'remove the files of users who have no settings of their own',
  });
  return [];
}

async function entries(directory: string, refusals: Refusals): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (err) {
    const code = err instanceof Error && 'code' in err ? String(err.code) : String(err);
    if (code === 'ENOENT') return [];
    refusals.addFile(directory, {
      found: `an error of the system: ${code}`,
      expected: 'a directory that can be listed',
      remedy: 'mend it or remove it',
    });
    return [];
  }
}
