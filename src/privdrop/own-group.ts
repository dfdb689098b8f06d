// Whether the primary group of an account is its own alone: only then may the group stand for the account.
import { ask } from './account-query.js';
import { isPlainId, type Account, type Mode } from './identity.js';
import type { Tools } from './tools.js';

export interface GroupQuery {
  readonly mode: Mode;
  readonly tools: Tools;
  readonly signal: AbortSignal;
}

/** Groups that belong to one user have its name and nobody else in them: adduser(8), useradd(8), pam_umask(8). */
export async function hasOwnGroup(account: Account, query: GroupQuery): Promise<boolean> {
  if (!isPlainId(account.gid)) return false;
  const { getent } = query.tools;
  const answer = await ask({ ...query, argv: [getent, 'group', '--', String(account.gid)] });
  return answer?.exitCode === 0 && isOwnGroup(answer.output, account);
}

/** group(5), one line. */
export function isOwnGroup(line: string, { name, gid }: Account): boolean {
  const [group, , id, members = '', ...more] = line.replace(/\n$/, '').split(':');
  if (more.length > 0 || line.trimEnd().includes('\n')) return false;
  const others = members.split(',').filter((member) => member !== '' && member !== name);
  return group === name && id === String(gid) && others.length === 0;
}
