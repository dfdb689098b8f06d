// Every rule about an account: one account that breaks it, and the exact words.
import type { Finding } from '../../src/errors.js';
import type { Account, IdentityFacts } from '../../src/privdrop/identity.js';

interface BrokenAccount extends Finding {
  /** What is different from an ordinary account. */
  readonly account: Partial<Account>;
  /** What is different about the machine. */
  readonly facts: Partial<IdentityFacts>;
}

const RANGE = 'a number from 1000 to 60000';

/** Of `alice` with the uid 1001, judged on the day 20000. */
export const JUDGED_ACCOUNTS: readonly BrokenAccount[] = [
  {
    rule: 'uid-range',
    ...{ account: { uid: 33 }, facts: {} },
    found: 'uid 33',
    expected: RANGE,
    remedy: 'give the account an ordinary uid, or change min_uid and max_uid',
  },
  {
    rule: 'uid-reserved',
    ...{ account: { uid: 2_033 }, facts: {} },
    found: 'uid 2033, which belongs to the router',
    expected: 'a uid that is only for this user',
    remedy: 'give the account a uid of its own',
  },
  {
    rule: 'gid-denied',
    ...{ account: { gid: 2_999 }, facts: {} },
    found: 'primary group docker (gid 2999)',
    expected: 'a group that is neither in deny_groups nor the router’s or the web server’s',
    remedy: 'give the account a primary group of its own',
  },
  {
    rule: 'gid-range',
    ...{ account: { gid: 33 }, facts: {} },
    found: 'primary gid 33',
    expected: `${RANGE}, not nobody's and not systemd's`,
    remedy: 'give the account a primary group of its own',
  },
  {
    rule: 'uid-unique',
    ...{ account: {}, facts: { sharesUidWith: 'bob' } },
    found: 'uid 1001 is also the uid of bob',
    expected: 'one account for one uid',
    remedy: 'give each account a uid of its own',
  },
  {
    rule: 'account-expired',
    ...{ account: {}, facts: { expiryDay: 19_998 } },
    found: 'account alice expired 2 days ago',
    expected: 'an account that is in use',
    remedy: 'chage --expiredate -1 alice',
  },
];

/** Of a machine as it is, by the names of the accounts. */
export const brokenAccountsOf = (routerUid: number): Readonly<Record<string, Finding>> => ({
  nosuchaccount: {
    rule: 'account-exists',
    found: 'no account nosuchaccount',
    expected: 'an account of the system, or uid, gid and home in [users]',
    remedy: 'adduser nosuchaccount',
  },
  daemon: {
    rule: 'uid-range',
    found: 'uid 1',
    expected: RANGE,
    remedy: 'give the account an ordinary uid, or change min_uid and max_uid',
  },
  'e2e-router': {
    rule: 'uid-reserved',
    found: `uid ${routerUid}, which belongs to the router`,
    expected: 'a uid that is only for this user',
    remedy: 'give the account a uid of its own',
  },
});
