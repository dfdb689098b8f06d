// The queue against a plain array.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { WaitQueue } from '../../../src/pool/index.js';
import { VirtualClock } from '../../support/virtual-clock.js';

const LENGTH = 5;

interface Entry {
  readonly request: { readonly id: number };
  readonly sinceMs: number;
  readonly isRetried: boolean;
}

/** A queue and an array that must agree. */
class Twins {
  readonly #clock = new VirtualClock();
  readonly #late: number[] = [];
  readonly #queue: WaitQueue<Entry['request']>;
  #model: readonly Entry[] = [];
  #timeoutMs = 100;
  #serial = 0;

  constructor() {
    this.#queue = new WaitQueue<Entry['request']>({
      clock: this.#clock,
      tickets: new Map(),
      lengthMax: LENGTH,
      timeoutMs: this.#timeoutMs,
      onWithdrawn: () => undefined,
      onDeadline: ({ id }) => this.#late.push(id),
    });
  }

  submit(): void {
    const entry = this.#entry(false);
    const isFull = this.#model.filter((one) => !one.isRetried).length >= LENGTH;
    assert.equal(this.#queue.submit(entry.request), !isFull);
    if (!isFull) this.#model = [...this.#model, entry];
  }

  resubmit(): void {
    const entry = this.#entry(true);
    this.#queue.resubmit(entry.request);
    this.#model = [...this.#model, entry];
  }

  take(): void {
    const next = this.#model.find((one) => one.isRetried) ?? this.#model[0];
    assert.equal(this.#queue.take(), next?.request);
    this.#model = this.#model.filter((one) => one !== next);
  }

  withdraw(at: number): void {
    const gone = this.#model[at];
    if (gone === undefined) return;
    assert.equal(this.#queue.withdraw(gone.request), true);
    assert.equal(this.#queue.withdraw(gone.request), false);
    this.#model = this.#model.filter((one) => one !== gone);
  }

  changeTimeout(timeoutMs: number): void {
    this.#timeoutMs = timeoutMs;
    this.#queue.configure(LENGTH, timeoutMs);
  }

  advance(ms: number): void {
    for (let count = 0; count < ms; count += 1) {
      this.#clock.advance(1);
      this.compare();
    }
  }

  /** Everybody who is due has left, nobody else has. */
  compare(): void {
    this.#clock.advance(0);
    const nowMs = this.#clock.now();
    const isDue = (one: Entry): boolean => one.sinceMs + this.#timeoutMs <= nowMs;
    assert.deepEqual(
      new Set(this.#late.splice(0)),
      new Set(this.#model.filter(isDue).map((one) => one.request.id)),
    );
    this.#model = this.#model.filter((one) => !isDue(one));
    assert.equal(this.#queue.length, this.#model.length);
  }

  #entry(isRetried: boolean): Entry {
    this.#serial += 1;
    return { request: { id: this.#serial }, sinceMs: this.#clock.now(), isRetried };
  }
}

const action: fc.Arbitrary<(twins: Twins) => void> = fc.oneof(
  fc.constant((twins: Twins) => twins.submit()),
  fc.constant((twins: Twins) => twins.submit()),
  fc.constant((twins: Twins) => twins.resubmit()),
  fc.constant((twins: Twins) => twins.take()),
  fc.nat(8).map((at) => (twins: Twins) => twins.withdraw(at)),
  fc.nat(80).map((ms) => (twins: Twins) => twins.advance(ms)),
  fc.nat(150).map((ms) => (twins: Twins) => twins.changeTimeout(ms)),
);

test('whatever happens, the queue does what an array with deadlines would do', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 80 }), (actions) => {
      const twins = new Twins();
      for (const act of actions) {
        act(twins);
        twins.compare();
      }
    }),
    { numRuns: 500 },
  );
});
