// Whatever a launcher says, in whatever pieces: only catalogued errors, and never a start that was not told.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isUsherdError } from '../../../src/errors.js';
import { judgeAccount } from '../../../src/privdrop/identity.js';
import { parsePasswd } from '../../../src/privdrop/account-text.js';
import {
  DESCRIPTORS_LINE,
  DIRECTORY,
  directoryLine,
  END_LINE,
  manifestLines,
  NAMES,
  Recorder,
  report,
  statLine,
} from '../../support/launcher-lines.js';

const LINES = [
  DESCRIPTORS_LINE,
  `D ${DIRECTORY}\n`,
  'D /elsewhere\n',
  directoryLine(),
  statLine({ name: 'app.fcgi' }),
  statLine({ name: 'usherd.toml' }),
  statLine({ name: '/srv' }),
  manifestLines('a'),
  END_LINE,
  'E missing /srv\n',
  'X\n',
];

const noise = fc.oneof(
  fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
  fc.string({ maxLength: 40 }).map((text) => Buffer.from(text)),
  fc.constantFrom(...LINES).map((text) => Buffer.from(text)),
  fc.nat(40_000).map((length) => Buffer.alloc(length, 'R')),
);

const stages: readonly (() => Recorder)[] = [
  () => new Recorder(),
  () => Recorder.looking(),
  () => Recorder.starting(),
];

function sayAll(recorder: Recorder, chunks: readonly Buffer[]): void {
  for (const chunk of chunks) {
    try {
      recorder.say(chunk);
    } catch (err) {
      assert.ok(isUsherdError(err) && err.code === 'E_PRIVDROP_REPORT', String(err));
    }
  }
}

describe('the dialogue with a launcher', () => {
  it('throws nothing but E_PRIVDROP_REPORT, and decides at most once', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...stages),
        fc.array(noise, { maxLength: 12 }),
        (stage, chunks) => {
          const recorder = stage();
          const reportsBefore = recorder.reports.length;
          sayAll(recorder, chunks);
          const decisions = recorder.reports.length - reportsBefore + recorder.refusals.length;
          assert.ok(decisions <= 1);
          const said = Buffer.concat(chunks).length;
          const ended = recorder.dialogue.ended();
          assert.ok(ended !== 'started' || (stage === stages[2] && said === 0));
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('takes any splitting of the same bytes for the same report', () => {
    const text = report(
      ...NAMES.map((name) => statLine({ name })),
      statLine({ name: 'usherd.toml' }),
      manifestLines('L 1\n\nL x = "ü"\n'),
    );
    const whole = Recorder.looking();
    whole.say(text);
    assert.equal(whole.reports.length, 1);
    const bytes = Buffer.from(text);
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 40 }), (cuts) => {
        const recorder = Recorder.looking();
        const ends = [...new Set([...cuts, bytes.length])].sort((a, b) => a - b);
        let begin = 0;
        for (const end of ends) {
          recorder.dialogue.push(bytes.subarray(begin, end));
          begin = end;
        }
        assert.deepEqual(recorder.reports, whole.reports);
      }),
    );
    const single = Recorder.looking();
    for (const byte of bytes) single.dialogue.push(Buffer.of(byte));
    assert.deepEqual(single.reports, whole.reports);
  });
});

describe('the account database', () => {
  it('never yields an account that setpriv would take for another', () => {
    const field = fc.oneof(fc.string({ maxLength: 12 }), fc.bigInt().map(String), fc.nat().map(String)); // prettier-ignore
    fc.assert(
      fc.property(field, field, fc.string({ maxLength: 20 }), (uid, gid, home) => {
        const entry = parsePasswd(`alice:x:${uid}:${gid}::${home}:/bin/sh\n`, 'alice');
        if (entry === undefined) return;
        assert.equal(String(entry.uid), uid);
        assert.equal(String(entry.gid), gid);
        const account = { ...entry, groups: [], hasOwnGroup: false, source: 'passwd' } as const;
        const finding = judgeAccount(account, {
          rules: {
            minUid: 0,
            maxUid: Number.MAX_SAFE_INTEGER,
            denyGroups: [],
            supplementaryGroups: 'none',
            forbiddenUids: new Map(),
            forbiddenGids: new Map(),
          },
          deniedGids: new Map(),
          sharesUidWith: undefined,
          expiryDay: undefined,
          today: 0,
        });
        assert.ok(finding !== undefined || (entry.uid >= 1_000 && entry.uid < 2 ** 31 - 1));
      }),
      { numRuns: 2_000 },
    );
  });
});
