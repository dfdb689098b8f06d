// Four answers of one process: told apart by lines that none of them can forge.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { answersIn } from '../../../src/privdrop/account-query.js';

const ENTRY = 'alice:x:1001:1001::/home/alice:/bin/sh\n';

describe('answers about an account', () => {
  it('are four for who exists', () => {
    assert.deepEqual(answersIn(`${ENTRY}= 0\n1001\n= 0\nalice:x:1001:\n= 0\nsudo:x:27:\n= 2\n`), {
      passwd: { output: ENTRY, exitCode: 0 },
      others: {
        groupIds: { output: '1001\n', exitCode: 0 },
        ownGroup: { output: 'alice:x:1001:\n', exitCode: 0 },
        groups: { output: 'sudo:x:27:\n', exitCode: 2 },
      },
    });
  });

  it('are one for who does not', () => {
    const passwd = { output: '', exitCode: 2 };
    assert.deepEqual(answersIn('= 2\n'), { passwd, others: undefined });
  });

  for (const [what, text] of [
    ['nothing', ''],
    ['too few', `${ENTRY}= 0\n1001\n= 0\n= 2\n`],
    ['a forged one among them', `${ENTRY}= 0\n27\n= 0\n1001\n= 0\n= 2\n= 0\n`],
    ['others after a failure', `= 2\n${ENTRY}= 0\n1001\n= 0\n= 2\n`],
    ['a last one without its code', `${ENTRY}= 0\n1001\n= 0\n= 2\n= 0\nmore\n`],
    ['half a line before a code', `alice= 0\n1001\n= 0\n= 2\n= 0\n`],
  ] as const) {
    it(`are no answers when there is ${what} (T34)`, () =>
      assert.equal(answersIn(text), 'malformed'));
  }
});
