// Every identity rule: refuses what it names, at its limit and one past it, and lets ordinary accounts through.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  allowedGroups,
  checkAccountName,
  isPlainId,
  judgeAccount,
  LOOKUP_ID,
  type Account,
  type IdentityFacts,
  type IdentityRules,
} from '../../../src/privdrop/identity.js';
import { JUDGED_ACCOUNTS } from '../../support/broken-accounts.js';

const RULES: IdentityRules = {
  minUid: 1_000,
  maxUid: 60_000,
  denyGroups: ['docker'],
  supplementaryGroups: 'account',
  forbiddenUids: new Map([[2_033, 'the router']]),
  forbiddenGids: new Map([[52_106, 'of the router']]),
};
const FACTS: IdentityFacts = {
  rules: RULES,
  deniedGids: new Map([[2_999, 'docker']]),
  sharesUidWith: undefined,
  expiryDay: undefined,
  today: 20_000,
};
const ALICE: Account = {
  name: 'alice',
  uid: 1_001,
  gid: 1_001,
  home: '/home/alice',
  groups: [1_001],
  hasOwnGroup: true,
  source: 'passwd',
};

const ruleFor = (account: Partial<Account>, facts: Partial<IdentityFacts> = {}): string =>
  judgeAccount({ ...ALICE, ...account }, { ...FACTS, ...facts })?.rule ?? 'accepted';

const wide: IdentityRules = { ...RULES, maxUid: 2 ** 33 };

describe('identity rules', () => {
  it('accept an ordinary account', () => assert.equal(ruleFor({}), 'accepted'));

  it('accept the first and the last uid of the range, and refuse their neighbours', () => {
    assert.equal(ruleFor({ uid: 1_000 }), 'accepted');
    assert.equal(ruleFor({ uid: 60_000 }), 'accepted');
    assert.equal(ruleFor({ uid: 999 }), 'uid-range');
    assert.equal(ruleFor({ uid: 60_001 }), 'uid-range');
  });

  it('go no lower than 1000 whatever min_uid says (T123)', () => {
    assert.equal(ruleFor({ uid: 999 }, { rules: { ...RULES, minUid: 0 } }), 'uid-range');
    assert.equal(ruleFor({ uid: 0 }, { rules: { ...RULES, minUid: -1 } }), 'uid-range');
  });

  for (const uid of [0, -0, -1, 1.5, 4_294_967_295, 4_294_967_296, 2_147_483_647, Number.NaN]) {
    it(`refuse uid ${Object.is(uid, -0) ? '-0' : uid}, whatever max_uid says (T23)`, () => {
      assert.equal(ruleFor({ uid }, { rules: wide }), 'uid-range');
      assert.equal(isPlainId(uid), uid === 0 && !Object.is(uid, -0));
    });
  }

  it('accept 2147483646 where max_uid allows it', () => {
    assert.equal(ruleFor({ uid: 2_147_483_646 }, { rules: wide }), 'accepted');
  });

  for (const uid of [65_534, 65_535, 61_184, 65_519, LOOKUP_ID]) {
    it(`refuse uid ${uid}, which belongs to the system (T29)`, () => {
      assert.equal(ruleFor({ uid }, { rules: wide }), 'uid-reserved');
      assert.equal(ruleFor({ gid: uid }, { rules: wide }), 'gid-range');
    });
  }

  it('let the neighbours of the dynamic range pass', () => {
    assert.equal(ruleFor({ uid: 61_183 }, { rules: wide }), 'accepted');
    assert.equal(ruleFor({ uid: 65_520 }, { rules: wide }), 'accepted');
  });

  it('refuse the uid of the router and say whose it is', () => {
    const finding = judgeAccount({ ...ALICE, uid: 2_033 }, FACTS);
    assert.equal(finding?.rule, 'uid-reserved');
    assert.match(finding.found, /the router/);
  });

  it('refuse a system group as primary group', () => {
    assert.equal(ruleFor({ gid: 999 }), 'gid-range');
    assert.equal(ruleFor({ gid: 60_001 }), 'gid-range');
  });

  it('refuse a denied group as primary group, and root even if nobody denied it', () => {
    assert.equal(ruleFor({ gid: 2_999 }), 'gid-denied');
    assert.equal(ruleFor({ gid: 0 }, { deniedGids: new Map() }), 'gid-denied');
  });

  it('refuse an account that shares its uid (T30)', () => {
    assert.equal(ruleFor({}, { sharesUidWith: 'bob' }), 'uid-unique');
  });

  it('refuse an account from its expiry day on, and not the day before (T31)', () => {
    assert.equal(ruleFor({}, { expiryDay: 20_001 }), 'accepted');
    assert.equal(ruleFor({}, { expiryDay: 20_000 }), 'account-expired');
    assert.equal(ruleFor({}, { expiryDay: 1 }), 'account-expired');
  });
});

describe('refusals of an account', () => {
  for (const { account, facts, ...words } of JUDGED_ACCOUNTS) {
    it(`by ${words.rule} say what was found, what is expected and what to do`, () => {
      assert.deepEqual(judgeAccount({ ...ALICE, ...account }, { ...FACTS, ...facts }), words);
    });
  }
});

describe('account names', () => {
  for (const name of ['alice', '_www', 'a-b_c9', 'a'.repeat(32)]) {
    it(`accept ${name}`, () => assert.equal(checkAccountName(name), undefined));
  }
  for (const name of ['', '1001', '-rf', 'Alice', 'a b', 'a:b', 'ü', '..', 'a\n', 'a'.repeat(33)]) {
    it(`refuse ${JSON.stringify(name)}`, () => {
      assert.equal(checkAccountName(name)?.rule, 'account-name');
    });
  }
});

describe('supplementary groups', () => {
  it('lose the denied ones, root, doubles and what is not a gid (T28, T37)', () => {
    const groups = [1_001, 2_999, 1_002, 0, 1_002, 4_294_967_296];
    assert.deepEqual(allowedGroups(groups, FACTS.deniedGids), [1_001, 1_002]);
  });
});
