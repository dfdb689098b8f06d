// What is counted of one application, for metrics and the status page: plain numbers, added to in place, read when asked for.
import type { ErrorCode } from '../errors.js';
import type { Outcome } from './request-outcome.js';

/** Upper bounds of the buckets, in milliseconds; one more holds what is longer. */
const DURATION_BOUNDS_MS = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000];
const WAIT_BOUNDS_MS = [1, 10, 50, 100, 500, 1_000, 5_000, 10_000];

/** The client left before there was an answer, as nginx has it. */
const CLIENT_LEFT = 499;
/** 1xx to 5xx by their first digit, and clients that left. */
const STATUS_CLASSES = ['left', '1xx', '2xx', '3xx', '4xx', '5xx'] as const;

export class Histogram {
  readonly boundsMs: readonly number[];
  /** How many fell into each bucket alone. */
  readonly counts: number[];
  sumMs = 0;

  constructor(boundsMs: readonly number[]) {
    this.boundsMs = boundsMs;
    this.counts = new Array<number>(boundsMs.length + 1).fill(0);
  }

  get isEmpty(): boolean {
    return this.counts.every((count) => count === 0);
  }

  observe(ms: number): void {
    const { boundsMs, counts } = this;
    let bucket = 0;
    while (bucket < boundsMs.length && ms > (boundsMs[bucket] ?? 0)) bucket += 1;
    counts[bucket] = (counts[bucket] ?? 0) + 1;
    this.sumMs += ms;
  }

  add(other: Histogram): void {
    for (const [bucket, count] of other.counts.entries()) addTo(this.counts, bucket, count);
    this.sumMs += other.sumMs;
  }
}

export class Figures {
  readonly #byClass: number[] = new Array<number>(STATUS_CLASSES.length).fill(0);
  readonly failures = new Map<ErrorCode, number>();
  responseBytes = 0;
  readonly duration = new Histogram(DURATION_BOUNDS_MS);
  /** Before a worker had it; all of the time, if none ever had. */
  readonly wait = new Histogram(WAIT_BOUNDS_MS);
  starts = 0;
  startMs = 0;
  readonly startRefusals = new Map<ErrorCode, number>();
  /** By reason; a closed list (exitReason). */
  readonly exits = new Map<string, number>();

  /** Once a request, when it is over. */
  ended({ status, bodyBytes, waitMs, durationMs }: Outcome): void {
    const index = status === CLIENT_LEFT ? 0 : Math.trunc(status / 100);
    this.#byClass[index] = (this.#byClass[index] ?? 0) + 1;
    this.responseBytes += bodyBytes;
    this.duration.observe(durationMs);
    this.wait.observe(waitMs);
  }

  failed(code: ErrorCode): void {
    count(this.failures, code);
  }

  started(startMs: number): void {
    this.starts += 1;
    this.startMs += startMs;
  }

  startRefused(code: ErrorCode): void {
    count(this.startRefusals, code);
  }

  exited(reason: string): void {
    count(this.exits, reason);
  }

  /** Those that there were. */
  *statuses(): Generator<readonly [name: string, count: number]> {
    for (const [index, name] of STATUS_CLASSES.entries()) {
      const requests = this.#byClass[index] ?? 0;
      if (requests > 0) yield [name, requests];
    }
  }

  add(other: Figures): void {
    for (const [index, requests] of other.#byClass.entries()) addTo(this.#byClass, index, requests);
    for (const [code, times] of other.failures) count(this.failures, code, times);
    for (const [code, times] of other.startRefusals) count(this.startRefusals, code, times);
    for (const [reason, times] of other.exits) count(this.exits, reason, times);
    this.responseBytes += other.responseBytes;
    this.duration.add(other.duration);
    this.wait.add(other.wait);
    this.starts += other.starts;
    this.startMs += other.startMs;
  }
}

function addTo(counts: number[], index: number, more: number): void {
  counts[index] = (counts[index] ?? 0) + more;
}

function count<K>(counts: Map<K, number>, key: K, more = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + more);
}
