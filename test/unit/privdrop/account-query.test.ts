// Four answers of one process: told apart by lines that none of them can forge.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { answersIn, ask } from '../../../src/privdrop/account-query.js';
import { findTools } from '../../../src/privdrop/index.js';
import { waitFor } from '../../support/wait-for.js';

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

// The second keeps the output open, and says when the first has been reaped.
const OUTLIVED = `(while kill -0 $$ 2>/dev/null; do :; done; : >"$1"; read -r line <"$2") & kill -9 $$`;

it(
  'a look-up that is called off waits for nobody who outlives the first of it (T34)',
  { timeout: 60_000 },
  async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'usherd-test-'));
    t.after(() => rmSync(directory, { recursive: true }));
    const [mark, fifo] = [join(directory, 'mark'), join(directory, 'fifo')];
    execFileSync('mkfifo', [fifo]);
    const off = new AbortController();
    const argv = ['/bin/sh', '-c', OUTLIVED, 'sh', mark, fifo];
    const answer = ask({ mode: 'self', tools: findTools(), argv, signal: off.signal });
    await waitFor('the first to be gone', () => existsSync(mark));
    off.abort();
    assert.equal(await answer, undefined);
    writeFileSync(fifo, 'go\n');
  },
);
