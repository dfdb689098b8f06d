// The part of an answer that waits on disk: in order, and nothing lost when the disk fails or is full.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LIMITS } from '../../../src/limits.js';
import { AnswerSpill } from '../../../src/router/answer-spill.js';
import { SPOOL_LIMITS, SpoolBudget, type SpoolLimits } from '../../../src/router/spool-budget.js';
import { directoryFor, isEmpty, patternOf, until } from './spool-support.js';

function spillOf(directory: string, budget = new SpoolBudget()): AnswerSpill {
  const spill = AnswerSpill.open({ user: 'alice', directory, budget, onWritten: () => undefined });
  assert.ok(spill !== undefined);
  return spill;
}

const limited = (limits: Partial<SpoolLimits>): SpoolBudget =>
  new SpoolBudget({ ...SPOOL_LIMITS, ...limits });

/** First what is on disk, then what is in memory; undefined if the disk did not say it. */
async function everythingOf(spill: AnswerSpill): Promise<Buffer> {
  const parts: Buffer[] = [];
  while (!spill.isCaughtUp) {
    const bytes = await new Promise<Buffer | undefined>((done) => spill.read(done));
    assert.ok(bytes !== undefined);
    parts.push(bytes);
  }
  return Buffer.concat([...parts, ...spill.takePending()]);
}

const PARTS = [patternOf(70_000), patternOf(1), patternOf(9_000), patternOf(65_543)];
const ALL = Buffer.concat(PARTS);

describe('everything comes back in order', () => {
  test('from disk', async (t) => {
    const budget = new SpoolBudget();
    const spill = spillOf(directoryFor(t), budget);
    for (const part of PARTS) spill.write(part);
    await until(() => spill.pendingBytes === 0);
    assert.equal(budget.diskBytes, ALL.length);
    assert.ok((await everythingOf(spill)).equals(ALL));
    spill.close();
    await until(() => isEmpty(budget));
  });

  test('from a disk that cannot be written', async (t) => {
    const budget = new SpoolBudget();
    const spill = spillOf(`${directoryFor(t)}/absent`, budget);
    for (const part of PARTS) spill.write(part);
    await until(() => !spill.hasRoom);
    assert.equal(spill.pendingBytes, ALL.length);
    assert.ok((await everythingOf(spill)).equals(ALL));
    spill.close();
    await until(() => isEmpty(budget));
  });

  test('from a disk of which the user has his share', async (t) => {
    const share = PARTS[0]?.length ?? 0;
    const budget = limited({ userDiskMaxBytes: share / LIMITS.answerSpillShare });
    const spill = spillOf(directoryFor(t), budget);
    for (const part of PARTS) spill.write(part);
    assert.equal(spill.hasRoom, false);
    await until(() => spill.pendingBytes === ALL.length - share);
    assert.ok((await everythingOf(spill)).equals(ALL));
    spill.close();
    await until(() => isEmpty(budget));
  });

  test('from memory, what was written after the seal', async (t) => {
    const spill = spillOf(directoryFor(t));
    spill.write(PARTS[0] ?? ALL);
    spill.seal();
    for (const part of PARTS.slice(1)) spill.write(part);
    await until(() => spill.pendingBytes === ALL.length - (PARTS[0]?.length ?? 0));
    assert.ok((await everythingOf(spill)).equals(ALL));
    spill.close();
  });
});

test('closed with writes and a read under way, it gives everything back', async (t) => {
  const budget = new SpoolBudget();
  const spill = spillOf(directoryFor(t), budget);
  spill.write(patternOf(100));
  await until(() => spill.pendingBytes === 0);
  const read = new Promise((done) => spill.read(done));
  spill.write(ALL);
  spill.close();
  assert.equal(budget.userDiskBytes('alice'), 0, 'the user may have others at once');
  await read;
  await until(() => isEmpty(budget));
});

test('room ends where more would only be more memory', (t) => {
  const spill = spillOf(directoryFor(t));
  const part = patternOf(65_536);
  let bytes = 0;
  for (; spill.hasRoom; bytes += part.length) spill.write(part);
  assert.ok(bytes <= LIMITS.answerSpillPendingMaxBytes + part.length);
  spill.close();
});

test('files: no more of one user, or of all, than leaves some to bodies', (t) => {
  const directory = directoryFor(t);
  const open = (budget: SpoolBudget, user: string): AnswerSpill | undefined =>
    AnswerSpill.open({ user, directory, budget, onWritten: () => undefined });
  const ofOne = new SpoolBudget();
  for (let i = 0; i < LIMITS.answerSpillsPerUserMaxCount; i += 1) {
    assert.ok(ofOne.takeAnswerFile('alice'));
  }
  assert.equal(open(ofOne, 'alice'), undefined);
  assert.ok(ofOne.takeAnswerFile('bob'));
  const ofAll = limited({ filesMaxCount: 4 });
  assert.ok(ofAll.takeAnswerFile('alice') && ofAll.takeAnswerFile('bob'));
  assert.equal(open(ofAll, 'carol'), undefined);
  assert.ok(ofAll.takeFile(), 'for a body');
});
