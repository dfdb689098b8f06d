// The walls of one launch: what the configuration shows, on this machine, and the program that puts them up. Root looks at paths of its own only.
import { statSync } from 'node:fs';
import {
  SERVICES,
  checkTool,
  isWiderThanWalls,
  wallsArgv,
  type Account,
} from '../privdrop/index.js';
import { UsherdError, type Finding } from '../errors.js';
import type { Blueprint } from './blueprint.js';

/** Both of Debian's places, which one package fills. */
const BUBBLEWRAP = ['/usr/bin/bwrap', '/bin/bwrap', '/usr/local/bin/bwrap'] as const;

const exists = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;

const missing: Finding = {
  rule: 'isolation-program',
  path: BUBBLEWRAP[0],
  found: 'no bubblewrap',
  expected: 'bubblewrap, which puts up the walls of an isolated application',
  remedy: 'apt-get install bubblewrap',
};

/** What is wrong with the program, if anything is; it is run by users, and never by root. */
export function bubblewrapFinding(): Finding | undefined {
  const path = BUBBLEWRAP.find(exists);
  return path === undefined ? missing : checkTool(path);
}

const tooWide = (home: string): Finding => ({
  rule: 'isolation-home',
  path: home,
  found: `[isolation] home = true, and the home of this account is ${home}, in which others have theirs`,
  expected: 'a home that holds nothing of others',
  remedy: 'give the account a home of its own, or take home = true away',
});

/**
 * Path and words of bubblewrap; undefined where the application is not isolated.
 * @throws UsherdError E_ISOLATION_FAILED where it is not there, others could have replaced it, or they would hide nothing
 */
export function wallsOfLaunch(
  { walls, folders, temporaryDirectory }: Blueprint,
  directory: string,
  account: Account,
): readonly string[] | undefined {
  if (walls === undefined) return undefined;
  const path = BUBBLEWRAP.find(exists);
  const finding = bubblewrapFinding();
  if (path === undefined || finding !== undefined) {
    const findings = [finding ?? missing];
    const { found, remedy } = findings[0] ?? missing;
    throw new UsherdError('E_ISOLATION_FAILED', `${found}: ${remedy}`, { findings });
  }
  const { visible, showsHome, hidden } = walls;
  if (showsHome && isWiderThanWalls(account.home, hidden)) {
    const wide = tooWide(account.home);
    throw new UsherdError('E_ISOLATION_FAILED', `${wide.found}: ${wide.remedy}`, {
      findings: [wide],
    });
  }
  const argv = wallsArgv({
    ...{ directory, folders, temporaryDirectory, visible },
    home: { path: account.home, isShown: showsHome },
    hidden,
    isThere: exists,
  });
  return [path, ...argv];
}

/** What the walls show of other programs' directories, and may have to be shown anew. */
export const servicesOf = ({ walls }: Blueprint): readonly string[] =>
  walls === undefined
    ? []
    : [...SERVICES, ...walls.visible.filter((path) => path.startsWith('/run/'))];
