// Work in turns: never two at once, never an old result after a new one, and a failure is its caller's alone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inTurns } from '../../../src/cli/in-turns.js';

/** Work whose ends the test decides. */
class Work {
  readonly ends: {
    readonly resolve: (text: string) => void;
    readonly reject: (e: Error) => void;
  }[] = [];
  readonly call = inTurns(
    () => new Promise<string>((resolve, reject) => this.ends.push({ resolve, reject })),
  );
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a second call waits for the first, and those that come meanwhile share it', async () => {
  const work = new Work();
  const first = work.call();
  await settled();
  const second = work.call();
  const third = work.call();
  await settled();
  assert.equal(work.ends.length, 1);
  work.ends[0]?.resolve('old');
  assert.equal(await first, 'old');
  await settled();
  assert.equal(work.ends.length, 2);
  work.ends[1]?.resolve('new');
  assert.deepEqual(await Promise.all([second, third]), ['new', 'new']);
});

test('a failure is told to those who called, and the next turn comes all the same', async () => {
  const work = new Work();
  const first = work.call();
  await settled();
  const second = work.call();
  work.ends[0]?.reject(new Error('a mistake'));
  await assert.rejects(first, /a mistake/);
  await settled();
  work.ends[1]?.resolve('good');
  assert.equal(await second, 'good');
});
