// What a cleaner may say, and that nothing else is believed.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isUsherdError } from '../../../src/errors.js';
import { LIMITS } from '../../../src/limits.js';
import { CleanerDialogue } from '../../../src/privdrop/index.js';

const ORDER = { directory: '/var/lib/usherd/users/1001', emptyAgeMs: 90_000 } as const;
const AGES = { ...ORDER, temporaryAgeMs: 60_000, sessionAgeMs: 0 };

function heard(...lines: readonly string[]): { dialogue: CleanerDialogue; verified: number } {
  const seen = { verified: 0 };
  const dialogue = new CleanerDialogue(() => (seen.verified += 1));
  for (const line of lines) dialogue.push(Buffer.from(line));
  return { dialogue, verified: seen.verified };
}

const isOutside = (err: unknown): boolean => isUsherdError(err) && err.code === 'E_PRIVDROP_REPORT';

describe('the dialogue with a cleaner', () => {
  it('asks for the proof when its descriptors are its own, and then has it begin', () => {
    const { dialogue, verified } = heard('R 0 1 2', ' 3 4\n');
    assert.equal(verified, 1);
    assert.equal(dialogue.order(AGES), '/var/lib/usherd/users/1001\n1.00000\n1.50000\n0\n');
  });

  it('takes no further descriptor, which would be a leak of root’s', () => {
    assert.throws(() => heard('R 0 1 2 3 4 5\n'), isOutside);
    assert.throws(() => heard('R 0 1 2\n'), isOutside);
    assert.throws(() => heard('hello\n'), isOutside);
  });

  it('takes a number, or one of three reasons', () => {
    const first = 'R 0 1 2 3 4\n';
    assert.deepEqual(heard(first, 'C 12\n').dialogue.answer, { removedCount: 12 });
    for (const word of ['absent', 'foreign', 'mounted'] as const) {
      assert.equal(heard(first, `${word}\n`).dialogue.answer, word);
    }
    for (const line of ['C -1', 'C 1e9', 'C', `C ${'9'.repeat(16)}`, 'done', '']) {
      assert.throws(() => heard(first, `${line}\n`), isOutside, line);
    }
  });

  it('takes one answer, a whole one, and nothing after it', () => {
    const first = 'R 0 1 2 3 4\n';
    assert.equal(heard(first).dialogue.answer, undefined);
    assert.equal(heard(first, 'C 1').dialogue.answer, undefined);
    assert.equal(heard(first, 'C 1\n', 'x').dialogue.answer, undefined);
    assert.throws(() => heard(first, 'C 1\nC 2\n'), isOutside);
  });

  it('is bounded', () => {
    assert.throws(() => heard('R'.repeat(LIMITS.cleanerAnswerMaxBytes + 1)), isOutside);
  });
});
