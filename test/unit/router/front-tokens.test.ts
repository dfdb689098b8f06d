// Front tokens by their rules: whose, how many, until when, and what is believed of a file.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { LIMITS } from '../../../src/limits.js';
import { createLogger } from '../../../src/log.js';
import { FrontTokens } from '../../../src/router/front-tokens.js';

const ALICE = `alice.${'a'.repeat(43)}`;
const BOB = `bob.${'b'.repeat(43)}`;
const OTHER = `alice.${'c'.repeat(43)}`;
const OWN_UID = process.getuid?.() ?? 0;

let directory: string;
let nowMs: number;

const line = (token: string, untilMs = 0): string =>
  `${createHash('sha256').update(token).digest('hex')} ${untilMs}\n`;

function write(user: string, text: string, mode = 0o640): void {
  const path = join(directory, 'tokens/digests', user);
  fs.rmSync(path, { force: true }); // another file, as `usherd token` makes it
  fs.writeFileSync(path, text);
  fs.chmodSync(path, mode);
}

const tokens = (trustedUids: readonly number[] = [OWN_UID]): FrontTokens =>
  new FrontTokens({
    stateDirectory: directory,
    log: createLogger('fatal', 'router'),
    trustedUids: new Set(trustedUids),
    nowMs: () => nowMs,
  });

const judge = (of: FrontTokens, user: string, token?: string): string | undefined =>
  of.refusal(new Map(token === undefined ? [] : [['USHERD_TOKEN', token]]), user);

beforeEach(() => {
  nowMs = 1_000_000;
  directory = fs.mkdtempSync(join(tmpdir(), 'usherd-'));
  fs.mkdirSync(join(directory, 'tokens/digests'), { recursive: true });
  write('alice', line(ALICE));
  write('bob', line(BOB));
});
afterEach(() => fs.rmSync(directory, { recursive: true, force: true }));

test('a token opens the applications of its user and nobody else’s', () => {
  const all = tokens();
  assert.equal(judge(all, 'alice', ALICE), undefined);
  assert.equal(judge(all, 'bob', BOB), undefined);
  assert.equal(judge(all, 'bob', ALICE), 'the token of alice');
  assert.equal(judge(all, 'carol', ALICE), 'the token of alice');
});

test('the name in a token proves nothing', () => {
  assert.equal(judge(tokens(), 'alice', OTHER), 'an unknown token');
  assert.equal(judge(tokens(), 'bob', OTHER), 'an unknown token');
  assert.equal(judge(tokens(), 'bob', `../bob.${'b'.repeat(43)}`), 'an unknown token');
});

test('without a token, or with an empty one, nobody comes in', () => {
  assert.equal(judge(tokens(), 'alice'), 'no token');
  assert.equal(judge(tokens(), 'alice', ''), 'no token');
});

test('a token leaves the params whether it was right or wrong', () => {
  for (const token of [ALICE, OTHER]) {
    const params = new Map([['USHERD_TOKEN', token]]);
    tokens().refusal(params, 'alice');
    assert.equal(params.size, 0);
  }
});

test('two tokens hold during a rotation, the older one until its time and not one millisecond more', () => {
  write('alice', line(OTHER) + line(ALICE, 2_000_000));
  const all = tokens();
  assert.equal(judge(all, 'alice', OTHER), undefined);
  nowMs = 1_999_999;
  assert.equal(judge(all, 'alice', ALICE), undefined);
  nowMs = 2_000_000;
  assert.equal(judge(all, 'alice', ALICE), 'an unknown token');
  assert.equal(judge(all, 'alice', OTHER), undefined);
});

test('a change is seen after the check interval, and not before', () => {
  const all = tokens();
  assert.equal(judge(all, 'alice', ALICE), undefined);
  write('alice', line(OTHER));
  nowMs += LIMITS.frontTokenCheckMs - 1;
  assert.equal(judge(all, 'alice', ALICE), undefined);
  nowMs += 1;
  assert.equal(judge(all, 'alice', ALICE), 'an unknown token');
  fs.rmSync(join(directory, 'tokens/digests/alice'));
  nowMs -= 10 * LIMITS.frontTokenCheckMs; // a clock that was set back
  assert.equal(judge(all, 'alice', OTHER), 'an unknown token');
});

test('what is not a file of `usherd token` is believed in no part', () => {
  const good = line(ALICE);
  const bad = {
    'three lines': good + line(OTHER) + line(BOB),
    'a line too much': `${good}\n`,
    'no end of line': good.slice(0, -1),
    'capital letters': good.toUpperCase(),
    'no time': `${good.slice(0, 64)}\n`,
    nothing: '',
    'more than it may be': good.repeat(16),
  };
  for (const [what, text] of Object.entries(bad)) {
    write('alice', text);
    assert.equal(judge(tokens(), 'alice', ALICE), 'an unknown token', what);
  }
});

test('a file that others may write, that belongs to somebody else, or that is a link lets nobody in', () => {
  write('alice', line(ALICE), 0o660);
  assert.equal(judge(tokens(), 'alice', ALICE), 'an unknown token');
  write('alice', line(ALICE));
  assert.equal(judge(tokens([OWN_UID + 1]), 'alice', ALICE), 'an unknown token');
  const path = join(directory, 'tokens/digests/alice');
  fs.renameSync(path, join(directory, 'elsewhere'));
  fs.symlinkSync(join(directory, 'elsewhere'), path);
  assert.equal(judge(tokens(), 'alice', ALICE), 'an unknown token');
});

test('names that nobody has do not fill the memory', () => {
  const all = tokens();
  for (let i = 0; i <= LIMITS.frontTokenUsersMaxCount; i += 1) judge(all, `user${i}`, OTHER);
  assert.equal(all.rememberedCount, LIMITS.frontTokenUsersMaxCount);
  assert.equal(judge(all, 'alice', ALICE), undefined);
});
