// Who an application may run as: the rules that an account has to pass, each with a name and a remedy.
import type { ErrorCode, Finding } from '../errors.js';

/** `self`: the supervisor is not root, and everything runs as the current user. */
export type Mode = 'root' | 'self';

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  /** Supplementary groups, already without the denied ones. */
  readonly groups: readonly number[];
  /** Nobody else is in its primary group: only then may the group stand for the account. */
  readonly hasOwnGroup: boolean;
  /** `self`: not this account at all, but whoever runs usherd. */
  readonly source: 'passwd' | 'config' | 'self';
}

export interface IdentityRules {
  readonly minUid: number;
  readonly maxUid: number;
  readonly denyGroups: readonly string[];
  readonly supplementaryGroups: 'account' | 'none';
  /** uid to the name of whoever it belongs to: the router, the web server. */
  readonly forbiddenUids: ReadonlyMap<number, string>;
  /** gid to the name of its group, whatever `denyGroups` says: who is in it may talk to root. */
  readonly forbiddenGids: ReadonlyMap<number, string>;
}

export type AccountResult =
  | { readonly ok: true; readonly account: Account }
  | { readonly ok: false; readonly code: ErrorCode; readonly finding: Finding };

/** A look-up that hung, or had no place, says nothing about the account; the others are answers. */
export const isAnswer = (code: ErrorCode): boolean =>
  code !== 'E_PRIVDROP_DEADLINE' && code !== 'E_SPAWN_LIMIT';

/** What the rules look at besides the account itself. */
export interface IdentityFacts {
  readonly rules: IdentityRules;
  readonly deniedGids: ReadonlyMap<number, string>;
  /** Another account with the same uid. */
  readonly sharesUidWith: string | undefined;
  /** Day the account expires, since 1970; undefined if never or not readable. */
  readonly expiryDay: number | undefined;
  readonly today: number;
}

type Rule = (account: Account, facts: IdentityFacts) => Finding | undefined;

const ACCOUNT_NAME = /^[a-z_][a-z0-9_-]{0,31}$/;

// No configuration goes below: system accounts are never tenants.
const FLOOR = 1_000;
// (uid_t)-1 means "no change" to setresuid(2), and libuv keeps uids in an int.
const CEILING = 2 ** 31 - 2;
/**
 * Of the processes that ask the account database, user and group: nobody's, nor anything else's, whose processes could
 * stop them, or trace them and answer in their stead. systemd gives 65520 to 65533 to nobody (UIDS-GIDS.md).
 */
export const LOOKUP_ID = 65_521;
const NOBODY: ReadonlySet<number> = new Set([65_534, 65_535, LOOKUP_ID]);
// systemd.exec(5), DynamicUser=: these belong to somebody else after the next restart.
const DYNAMIC = { first: 61_184, last: 65_519 } as const;

/** Whether setpriv(1) may be given this number at all; it takes 4294967296 for 0 without a word. */
export const isPlainId = (id: number): boolean =>
  Number.isInteger(id) && !Object.is(id, -0) && id >= 0 && id <= CEILING;

export function checkAccountName(name: string): Finding | undefined {
  if (ACCOUNT_NAME.test(name)) return undefined;
  return {
    rule: 'account-name',
    found: JSON.stringify(name.slice(0, 64)),
    expected: 'lower case letters, digits, _ and -, at most 32, and no digit first',
    remedy: 'rename the account',
  };
}

const isInRange = (id: number, rules: IdentityRules): boolean =>
  isPlainId(id) && id >= Math.max(rules.minUid, FLOOR) && id <= rules.maxUid;

const rangeText = (rules: IdentityRules): string =>
  `a number from ${Math.max(rules.minUid, FLOOR)} to ${Math.min(rules.maxUid, CEILING)}`;

const uidRange: Rule = (account, { rules }) =>
  isInRange(account.uid, rules)
    ? undefined
    : {
        rule: 'uid-range',
        found: `uid ${account.uid}`,
        expected: rangeText(rules),
        remedy: 'give the account an ordinary uid, or change min_uid and max_uid',
      };

function reservedFor(uid: number, rules: IdentityRules): string | undefined {
  if (NOBODY.has(uid)) return 'nobody';
  if (uid >= DYNAMIC.first && uid <= DYNAMIC.last) return 'systemd (DynamicUser)';
  return rules.forbiddenUids.get(uid);
}

const uidReserved: Rule = (account, { rules }) => {
  const owner = reservedFor(account.uid, rules);
  if (owner === undefined) return undefined;
  return {
    rule: 'uid-reserved',
    found: `uid ${account.uid}, which belongs to ${owner}`,
    expected: 'a uid that is only for this user',
    remedy: 'give the account a uid of its own',
  };
};

const gidDenied: Rule = (account, { deniedGids }) => {
  const group = deniedGids.get(account.gid) ?? (account.gid === 0 ? 'root' : undefined);
  if (group === undefined) return undefined;
  return {
    rule: 'gid-denied',
    found: `primary group ${group} (gid ${account.gid})`,
    expected: 'a group that is neither in deny_groups nor the router’s or the web server’s',
    remedy: 'give the account a primary group of its own',
  };
};

const gidRange: Rule = (account, { rules }) => {
  const isDynamic = account.gid >= DYNAMIC.first && account.gid <= DYNAMIC.last;
  if (isInRange(account.gid, rules) && !NOBODY.has(account.gid) && !isDynamic) return undefined;
  return {
    rule: 'gid-range',
    found: `primary gid ${account.gid}`,
    expected: `${rangeText(rules)}, not nobody's and not systemd's`,
    remedy: 'give the account a primary group of its own',
  };
};

const uidUnique: Rule = (account, { sharesUidWith }) =>
  sharesUidWith === undefined
    ? undefined
    : {
        rule: 'uid-unique',
        found: `uid ${account.uid} is also the uid of ${sharesUidWith}`,
        expected: 'one account for one uid',
        remedy: 'give each account a uid of its own',
      };

const expiry: Rule = (account, { expiryDay, today }) =>
  expiryDay === undefined || expiryDay > today
    ? undefined
    : {
        rule: 'account-expired',
        found: `account ${account.name} expired ${today - expiryDay} days ago`,
        expected: 'an account that is in use',
        remedy: `chage --expiredate -1 ${account.name}`,
      };

// gid-denied comes before gid-range because its words are plainer where both hold.
const RULES: readonly Rule[] = [uidRange, uidReserved, gidDenied, gidRange, uidUnique, expiry];

/** The first rule that refuses the account; undefined if none does. */
export function judgeAccount(account: Account, facts: IdentityFacts): Finding | undefined {
  for (const rule of RULES) {
    const finding = rule(account, facts);
    if (finding !== undefined) return finding;
  }
  return undefined;
}

/** Supplementary groups that may be kept; order as given, no group twice. */
export function allowedGroups(
  groups: readonly number[],
  deniedGids: ReadonlyMap<number, string>,
): readonly number[] {
  const kept = groups.filter((gid) => isPlainId(gid) && gid !== 0 && !deniedGids.has(gid));
  return [...new Set(kept)];
}
