// Answers of the account database: the one right form, and everything near it that is not.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  isOwnGroup,
  parseGroupIds,
  parseGroups,
  parseId,
  parsePasswd,
} from '../../../src/privdrop/account-text.js';

describe('a passwd entry', () => {
  it('is read from seven fields', () => {
    const entry = parsePasswd('alice:x:1001:1002:Alice,,,:/home/alice:/bin/bash\n', 'alice');
    assert.deepEqual(entry, { name: 'alice', uid: 1_001, gid: 1_002, home: '/home/alice' });
  });

  const wrong: readonly (readonly [what: string, output: string])[] = [
    ['nothing', ''],
    ['an empty line', '\n'],
    ['no newline', 'alice:x:1001:1001::/home/alice:/bin/sh'],
    ['two lines', 'alice:x:1001:1001::/h:/bin/sh\nalice:x:1001:1001::/h:/bin/sh\n'],
    ['six fields', 'alice:x:1001:1001:/home/alice:/bin/sh\n'],
    ['eight fields', 'alice:x:1001:1001:::/home/alice:/bin/sh\n'],
    ['another name', 'bob:x:1001:1001::/home/alice:/bin/sh\n'],
    ['another case', 'Alice:x:1001:1001::/home/alice:/bin/sh\n'],
    ['a negative uid', 'alice:x:-1:1001::/home/alice:/bin/sh\n'],
    ['a uid over 32 bits', 'alice:x:4294967296:1001::/home/alice:/bin/sh\n'],
    ['a hexadecimal uid', 'alice:x:0x3e9:1001::/home/alice:/bin/sh\n'],
    ['a uid with an exponent', 'alice:x:1e3:1001::/home/alice:/bin/sh\n'],
    ['a uid with a space', 'alice:x: 1001:1001::/home/alice:/bin/sh\n'],
    ['a uid with a leading zero', 'alice:x:01001:1001::/home/alice:/bin/sh\n'],
    ['an empty gid', 'alice:x:1001:::/home/alice:/bin/sh\n'],
    ['a relative home', 'alice:x:1001:1001::home:/bin/sh\n'],
    ['an empty home', 'alice:x:1001:1001:::/bin/sh\n'],
    ['a control character in the home', 'alice:x:1001:1001::/home/a\tb:/bin/sh\n'],
  ];
  for (const [what, output] of wrong) {
    it(`is refused with ${what} (T34)`, () =>
      assert.equal(parsePasswd(output, 'alice'), undefined));
  }
});

describe('numbers of the account database', () => {
  it('are plain decimals up to 2147483646', () => {
    assert.equal(parseId('0'), 0);
    assert.equal(parseId('2147483646'), 2_147_483_646);
  });
  for (const text of ['', '-1', '+1', ' 1', '1 ', '1e3', '0x0', '00', '1.0', '2147483647', '٣']) {
    it(`are not ${JSON.stringify(text)} (T23)`, () => assert.equal(parseId(text), undefined));
  }
});

describe('id -G', () => {
  it('is a line of numbers', () => assert.deepEqual(parseGroupIds('1001 27 4\n'), [1_001, 27, 4]));
  for (const output of ['', '\n', '1001', '1001  4\n', '1001 x\n', '1001\n4\n', '1001 \n']) {
    it(`is not ${JSON.stringify(output)}`, () => assert.equal(parseGroupIds(output), undefined));
  }
});

describe('getent group', () => {
  const asked = ['docker', 'sudo'];
  it('gives gid and name of the groups there are', () => {
    const groups = parseGroups('docker:x:999:alice,bob\nsudo:x:27:\n', asked);
    assert.deepEqual([...(groups ?? [])], [[999, 'docker'], [27, 'sudo']]); // prettier-ignore
  });
  it('gives none for no output', () => assert.equal(parseGroups('', asked)?.size, 0));
  for (const output of ['docker:x:999\n', 'docker:x:y:\n', 'wheel:x:10:\n', 'sudo:x:27:', '\n']) {
    it(`is refused as ${JSON.stringify(output)}`, () => {
      assert.equal(parseGroups(output, asked), undefined);
    });
  }
});

describe('the group of one account', () => {
  const alice = { name: 'alice', gid: 1_001 };

  it('has the same name and number, and nobody else in it', () => {
    assert.equal(isOwnGroup('alice:x:1001:\n', alice), true);
    assert.equal(isOwnGroup('alice:x:1001:alice\n', alice), true);
  });

  it('has no other name, number, member or shape', () => {
    for (const line of [
      ...['users:x:1001:\n', 'alice:x:1002:\n', 'alice:x:1001:bob\n', 'alice:x:1001:alice,bob\n'],
      ...['', 'alice:x:1001\u0000:\n', 'alice:x:1001::\n', 'alice:x:1001:\nbob:x:1001:\n'],
    ]) {
      assert.equal(isOwnGroup(line, alice), false, line);
    }
  });
});
