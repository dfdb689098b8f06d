// When a child is started again, when not, and what it is told; on a clock of the test's own.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChildKeeper, type ChildExit } from '../../../src/cli/child-keeper.js';
import { ExitCode } from '../../../src/errors.js';

const CRASH: ChildExit = { by: 'signal', code: 0, signal: 'SIGSEGV' };
const byCode = (code: number): ChildExit => ({ by: 'code', code, signal: '' });

/** A keeper whose children and delays are only written down. */
class Stage {
  nowMs = 0;
  started = 0;
  permanent = 0;
  readonly signals: string[] = [];
  readonly restarts: (number | undefined)[] = [];
  readonly keeper: ChildKeeper;
  #exit: ((exit: ChildExit) => void) | undefined;
  #delayed: (() => void) | undefined;

  constructor() {
    this.keeper = new ChildKeeper({
      start: (onExit) => {
        this.started += 1;
        this.#exit = onExit;
        return { pid: 100 + this.started, signal: (name) => void this.signals.push(name) };
      },
      delay: (_ms, callback) => {
        this.#delayed = callback;
        return () => (this.#delayed = undefined);
      },
      nowMs: () => this.nowMs,
      onPermanent: () => (this.permanent += 1),
      onExit: (_exit, restartInMs) => void this.restarts.push(restartInMs),
    });
  }

  /** The child ends after it has lived this long. */
  end(exit: ChildExit, livedMs = 0): void {
    this.nowMs += livedMs;
    assert.ok(this.#exit, 'no child runs');
    const onExit = this.#exit;
    this.#exit = undefined;
    onExit(exit);
  }

  /** The delay is over. */
  wake(): void {
    assert.ok(this.#delayed, 'nothing is delayed');
    const callback = this.#delayed;
    this.#delayed = undefined;
    callback();
  }

  get isDelayed(): boolean {
    return this.#delayed !== undefined;
  }
}

function started(): Stage {
  const stage = new Stage();
  stage.keeper.start();
  return stage;
}

test('a child that dies is started again, later each time, at most after 5 s', () => {
  const stage = started();
  for (let crash = 0; crash < 8; crash += 1) {
    stage.end(CRASH);
    assert.equal(stage.keeper.pid, undefined);
    stage.wake();
  }
  assert.deepEqual(stage.restarts, [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
  assert.equal(stage.started, 9);
});

test('a child that lived for 10 s starts again as quickly as the first time, one that did not does not', () => {
  const stage = started();
  stage.end(CRASH);
  stage.wake();
  stage.end(CRASH, 9_999);
  stage.wake();
  stage.end(CRASH, 10_000);
  assert.deepEqual(stage.restarts, [100, 200, 100]);
});

test('a child that ends well without being asked is started again as well', () => {
  const stage = started();
  stage.end(byCode(ExitCode.OK));
  stage.wake();
  assert.equal(stage.started, 2);
});

test('a child that says that nothing will help is not started again', () => {
  const stage = started();
  stage.end(byCode(ExitCode.PERMANENT));
  assert.equal(stage.permanent, 1);
  assert.equal(stage.isDelayed, false);
  assert.deepEqual(stage.restarts, [undefined]);
});

test('terminating asks the child, waits for it, and does not start it again', async () => {
  const stage = started();
  const gone = stage.keeper.terminate();
  assert.deepEqual(stage.signals, ['SIGTERM']);
  stage.end(byCode(ExitCode.OK));
  await gone;
  assert.equal(stage.isDelayed, false);
  assert.equal(stage.started, 1);
});

test('a child that says "permanent" while it is terminated stops nothing else', async () => {
  const stage = started();
  const gone = stage.keeper.terminate();
  stage.end(byCode(ExitCode.PERMANENT));
  await gone;
  assert.equal(stage.permanent, 0);
});

test('terminating between two lives cancels the next one', async () => {
  const stage = started();
  stage.end(CRASH);
  await stage.keeper.terminate();
  assert.equal(stage.isDelayed, false);
  assert.equal(stage.started, 1);
});

test('terminating twice, or what never ran, resolves', async () => {
  await new Stage().keeper.terminate();
  const stage = started();
  const both = Promise.all([stage.keeper.terminate(), stage.keeper.terminate()]);
  stage.end(CRASH);
  await both;
});

test('signals reach a running child and nobody else', () => {
  const stage = started();
  assert.equal(stage.keeper.pid, 101);
  stage.keeper.signal('SIGHUP');
  stage.end(CRASH);
  stage.keeper.signal('SIGHUP');
  assert.deepEqual(stage.signals, ['SIGHUP']);
});
