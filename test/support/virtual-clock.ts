// A clock that a test turns by hand: timers ring in the order of their time, and in the order of arming at one time.
import type { Clock } from '../../src/pool/index.js';

interface Timer {
  readonly atMs: number;
  readonly serial: number;
  readonly run: () => void;
  isCancelled: boolean;
}

const isBefore = (a: Timer, b: Timer): boolean =>
  a.atMs < b.atMs || (a.atMs === b.atMs && a.serial < b.serial);

export class VirtualClock implements Clock {
  /** A binary heap: every timer is before both of those below it. */
  readonly #heap: Timer[] = [];
  #nowMs = 0;
  #serial = 0;
  #armed = 0;

  /** Timers that would still ring. */
  get armed(): number {
    return this.#armed;
  }

  /** Timers that were ever armed. */
  get scheduled(): number {
    return this.#serial;
  }

  now(): number {
    return this.#nowMs;
  }

  /** Whole milliseconds, rounded up, as the timers of Node. */
  schedule(delayMs: number, run: () => void): Timer {
    const atMs = this.#nowMs + Math.ceil(Math.max(0, delayMs));
    const timer: Timer = { atMs, serial: this.#serial++, run, isCancelled: false };
    this.#armed += 1;
    this.#push(timer);
    return timer;
  }

  cancel(timer: unknown): void {
    const known = timer as Timer;
    if (!known.isCancelled) this.#armed -= 1;
    known.isCancelled = true;
  }

  /** Rings everything that is due until then. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const timer = this.#heap[0];
      if (timer === undefined || timer.atMs > untilMs) break;
      this.#pop();
      if (timer.isCancelled) continue;
      timer.isCancelled = true;
      this.#armed -= 1;
      this.#nowMs = timer.atMs;
      timer.run();
    }
    this.#nowMs = untilMs;
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(timer);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || isBefore(above, timer)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = timer;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      const child = this.#lesserChild(index);
      const below = heap[child];
      if (below === undefined || isBefore(last, below)) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = last;
  }

  #lesserChild(index: number): number {
    const left = 2 * index + 1;
    const [a, b] = [this.#heap[left], this.#heap[left + 1]];
    return a !== undefined && b !== undefined && isBefore(b, a) ? left + 1 : left;
  }
}
