// The part of a status that is about one user or one application.
import { APP_ID, shown, USER_NAME } from '../config/lean.js';
import { UsherdError } from '../errors.js';
import { tablesIn, textOf, textsIn } from './answer-fields.js';
import type { Answer } from './control-client.js';

/** `alice` or `alice/blog`; undefined: everything. */
export type Whose = string | undefined;

/** @throws UsherdError E_USAGE for what is neither a user nor an application */
export function whoseOf(text: string | undefined): Whose {
  if (text === undefined || APP_ID.test(text) || USER_NAME.test(text)) return text;
  throw new UsherdError('E_USAGE', `${shown(text)} is neither USER nor USER/APP, as in alice/blog`);
}

export const isOf = (whose: Whose, app: string): boolean =>
  whose === undefined || app === whose || app.startsWith(`${whose}/`);

export function filterStatus(status: Answer, whose: Whose): Answer {
  if (whose === undefined) return status;
  const user = whose.split('/')[0] ?? '';
  const own = (rows: unknown): readonly Answer[] =>
    tablesIn(rows).filter(({ app }) => isOf(whose, textOf(app)));
  return {
    ...status,
    suspended: textsIn(status['suspended']).filter((name) => name === user),
    brokenUsers: tablesIn(status['brokenUsers']).filter((row) => row['user'] === user),
    apps: own(status['apps']),
    failures: own(status['failures']),
  };
}
