// The last hour in small: one sample every ten seconds in rings of a fixed size, for the charts of the status page. A place for
// which there was no sample is empty, and not what came before or after it.
import { ERRORS } from '../../errors.js';
import { LIMITS } from '../../limits.js';
import type { Figures } from '../figures.js';

/** What there is to see now; counts only grow. */
export interface Sight {
  readonly figures: Figures;
  readonly waiting: number;
  readonly workers: number;
  readonly busy: number;
}

const SERIES = ['requestsPerS', 'failuresPerS', 'waiting', 'workers', 'busy', 'slowMs'] as const;
export type SeriesName = (typeof SERIES)[number];

/** Of the requests of one sample, so many are faster than what the chart shows. */
const SLOW_SHARE = 0.95;
const MS_PER_S = 1_000;

/** No sample: the router was too busy, stopped or asleep with its machine. */
const MISSING = Number.NaN;

/** Between two samples when all is well, and how many are kept. */
interface HistoryShape {
  readonly intervalMs: number;
  readonly samplesMaxCount: number;
}
const LAST_HOUR: HistoryShape = {
  intervalMs: LIMITS.historyIntervalMs,
  samplesMaxCount: LIMITS.historySamplesCount,
};

export class History {
  readonly #intervalMs: number;
  readonly #rings: Readonly<Record<SeriesName, Float64Array>>;
  #next = 0;
  #count = 0;
  #before: { readonly figures: Figures; readonly atMs: number } | undefined;

  constructor({ intervalMs, samplesMaxCount }: HistoryShape = LAST_HOUR) {
    this.#intervalMs = intervalMs;
    const ring = (): Float64Array => new Float64Array(samplesMaxCount);
    this.#rings = {
      ...{ requestsPerS: ring(), failuresPerS: ring(), waiting: ring() },
      ...{ workers: ring(), busy: ring(), slowMs: ring() },
    };
  }

  /** The first one is only what the second is compared with. `figures` are given away. */
  sample({ figures: now, waiting, workers, busy }: Sight, atMs: number): void {
    const before = this.#before;
    this.#before = { figures: now, atMs };
    if (before === undefined || atMs <= before.atMs) return;
    this.#skip(Math.round((atMs - before.atMs) / this.#intervalMs) - 1);
    const seconds = (atMs - before.atMs) / MS_PER_S;
    const grown = (of: (figures: Figures) => number): number =>
      Math.max(0, of(now) - of(before.figures)) / seconds;
    this.#put({
      ...{ waiting, workers, busy },
      requestsPerS: grown(requestsOf),
      failuresPerS: grown(failuresOf),
      slowMs: slowMs(before.figures, now),
    });
  }

  /** Oldest first; MISSING where there is no sample. */
  series(name: SeriesName): readonly number[] {
    const ring = this.#rings[name];
    const first = this.#count < ring.length ? 0 : this.#next;
    return Array.from(
      { length: this.#count },
      (_, at) => ring[(first + at) % ring.length] ?? MISSING,
    );
  }

  /** What counts grew by meanwhile is in the next sample, as the mean of all that time. */
  #skip(count: number): void {
    const places = Math.min(count, this.#rings.waiting.length);
    for (let place = 0; place < places; place += 1) this.#put(NO_SAMPLE);
  }

  #put(values: Readonly<Record<SeriesName, number>>): void {
    for (const name of SERIES) this.#rings[name][this.#next] = values[name];
    const { length } = this.#rings.waiting;
    this.#next = (this.#next + 1) % length;
    this.#count = Math.min(length, this.#count + 1);
  }
}

const NO_SAMPLE: Readonly<Record<SeriesName, number>> = {
  ...{ requestsPerS: MISSING, failuresPerS: MISSING, waiting: MISSING },
  ...{ workers: MISSING, busy: MISSING, slowMs: MISSING },
};

export function requestsOf(figures: Figures): number {
  let sum = 0;
  for (const [, count] of figures.statuses()) sum += count;
  return sum;
}

/** Without what the catalogue calls everyday life: a scanner's 404 is nobody's trouble. */
export function failuresOf(figures: Figures): number {
  let sum = 0;
  for (const [code, count] of figures.failures) {
    const { level } = ERRORS[code];
    if (level !== 'info' && level !== 'debug') sum += count;
  }
  return sum;
}

/** The upper bound of the bucket below which SLOW_SHARE of the requests between two samples lie; 0 without any. */
function slowMs({ duration: before }: Figures, { duration: now }: Figures): number {
  const counts = now.counts.map((count, at) => Math.max(0, count - (before.counts[at] ?? 0)));
  const wanted = SLOW_SHARE * counts.reduce((sum, count) => sum + count, 0);
  if (wanted === 0) return 0;
  let sum = 0;
  for (const [at, count] of counts.entries()) {
    sum += count;
    if (sum >= wanted) return now.boundsMs[at] ?? now.boundsMs.at(-1) ?? 0;
  }
  return 0;
}
