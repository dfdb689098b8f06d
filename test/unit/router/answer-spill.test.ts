// The part of an answer that waits on disk: in order, and nothing lost when the disk fails or is full.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LIMITS } from '../../../src/limits.js';
import { AnswerSpill } from '../../../src/router/answer-spill.js';
import { SPOOL_LIMITS, SpoolBudget, type SpoolLimits } from '../../../src/router/spool-budget.js';
import { directoryFor, isEmpty, patternOf, until } from './spool-support.js';

const BLOCK = LIMITS.spoolLargeBlockBytes;

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

const PARTS = [patternOf(400_000), patternOf(1), patternOf(9_000), patternOf(65_543)];
const END = patternOf(24);
const ALL = Buffer.concat([...PARTS, END]);

function fill(spill: AnswerSpill): void {
  for (const part of PARTS) spill.piece(part);
  spill.add(END);
}

test('what a client does not read for long keeps no block of which it fills but a part', async (t) => {
  const budget = new SpoolBudget();
  const spill = spillOf(directoryFor(t), budget);
  const block = budget.takeLargeBlock();
  assert.ok(block !== undefined);
  budget.giveBlock(block); // and taken for what comes
  spill.piece(patternOf(BLOCK));
  await until(() => spill.pendingBytes === 0);
  spill.piece(END);
  spill.seal();
  assert.equal(spill.pendingBytes, END.length);
  assert.equal(budget.takeLargeBlock(), block, 'it is free');
  block.fill(0);
  spill.piece(END);
  spill.seal();
  const wanted = Buffer.concat([patternOf(BLOCK), END, END]);
  assert.ok((await everythingOf(spill)).equals(wanted));
  budget.giveBlock(block);
  spill.close();
  await until(() => isEmpty(budget));
});

describe('everything comes back in order', () => {
  test('from disk, and its end as a whole from memory', async (t) => {
    const budget = new SpoolBudget();
    const spill = spillOf(directoryFor(t), budget);
    fill(spill);
    await until(() => spill.pendingBytes === END.length);
    assert.equal(budget.diskBytes, ALL.length - END.length);
    assert.ok((await everythingOf(spill)).equals(ALL));
    spill.close();
    await until(() => isEmpty(budget));
  });

  test('from a disk that cannot be written', async (t) => {
    const budget = new SpoolBudget();
    const spill = spillOf(`${directoryFor(t)}/absent`, budget);
    for (const part of PARTS) spill.piece(part);
    await until(() => !spill.hasRoom);
    spill.add(END);
    assert.equal(spill.pendingBytes, ALL.length);
    assert.ok((await everythingOf(spill)).equals(ALL));
    spill.close();
    await until(() => isEmpty(budget));
  });

  test('from a disk of which the user has his share', async (t) => {
    const budget = limited({ userDiskMaxBytes: BLOCK / LIMITS.answerSpillShare });
    const spill = spillOf(directoryFor(t), budget);
    for (let i = 0; i < 3; i += 1) spill.piece(patternOf(BLOCK));
    assert.equal(spill.hasRoom, false);
    fill(spill);
    const wanted = Buffer.concat([...Array.from({ length: 3 }, () => patternOf(BLOCK)), ALL]);
    await until(() => spill.pendingBytes === wanted.length - BLOCK);
    assert.ok((await everythingOf(spill)).equals(wanted));
    spill.close();
    await until(() => isEmpty(budget));
  });

  test('where there is no block for it', async (t) => {
    const budget = limited({ pendingMaxBytes: 0 });
    const spill = spillOf(directoryFor(t), budget);
    fill(spill);
    assert.equal(spill.hasRoom, false);
    assert.ok((await everythingOf(spill)).equals(ALL));
    spill.close();
    await until(() => isEmpty(budget));
  });

  test('from memory, what came after the seal', async (t) => {
    const spill = spillOf(directoryFor(t));
    spill.piece(patternOf(BLOCK));
    spill.seal();
    fill(spill);
    await until(() => spill.pendingBytes === ALL.length);
    assert.ok((await everythingOf(spill)).equals(Buffer.concat([patternOf(BLOCK), ALL])));
    spill.close();
  });
});

test('what is taken while the disk writes it is not written over', async (t) => {
  const budget = new SpoolBudget();
  const spill = spillOf(directoryFor(t), budget);
  fill(spill);
  const taken = spill.takePending();
  spill.close();
  const other = spillOf(directoryFor(t), budget);
  for (let i = 0; i < 3; i += 1) other.piece(Buffer.alloc(BLOCK, 'x'));
  assert.ok(Buffer.concat(taken).equals(ALL));
  other.close();
  await until(() => isEmpty(budget));
});

test('closed with writes and a read under way, it gives everything back', async (t) => {
  const budget = new SpoolBudget();
  const spill = spillOf(directoryFor(t), budget);
  spill.piece(patternOf(BLOCK));
  await until(() => spill.pendingBytes === 0);
  const read = new Promise((done) => spill.read(done));
  fill(spill);
  spill.close();
  assert.equal(budget.userDiskBytes('alice'), 0, 'the user may have others at once');
  await read;
  await until(() => isEmpty(budget));
});

test('room ends where more would only be more memory', (t) => {
  const spill = spillOf(directoryFor(t));
  const part = patternOf(65_536);
  let bytes = 0;
  for (; spill.hasRoom; bytes += part.length) spill.piece(part);
  assert.ok(bytes <= LIMITS.answerSpillPendingMaxBytes + part.length);
  spill.close();
});

test('who stalls with little holds no block for it', async (t) => {
  const budget = new SpoolBudget();
  const spill = spillOf(directoryFor(t), budget);
  spill.piece(patternOf(1));
  spill.flush();
  await until(() => spill.pendingBytes === 0);
  assert.equal(budget.pendingBytes, 0);
  spill.piece(patternOf(1));
  spill.seal();
  assert.deepEqual([spill.pendingBytes, budget.pendingBytes], [1, 0], 'in memory of its own');
  spill.close();
  await until(() => isEmpty(budget));
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
  assert.ok(ofAll.takeFile('carol'), 'for a body');
});
