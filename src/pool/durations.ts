// How long starts and requests of one pool took lately: moving means, undefined until there is a first sample.
import type { Worker } from './worker.js';

/** The newest sample weighs 1/8, as in the round-trip estimate of TCP (RFC 6298 §2). */
const WEIGHT = 1 / 8;

const mix = (mean: number | undefined, sample: number): number =>
  mean === undefined ? sample : mean + WEIGHT * (sample - mean);

export class Durations {
  #startMs: number | undefined = undefined;
  #serviceMs: number | undefined = undefined;

  /** From asking for a worker until it could have taken a request. */
  get startMs(): number | undefined {
    return this.#startMs;
  }

  /** From assigning a request until its worker was free again. */
  get serviceMs(): number | undefined {
    return this.#serviceMs;
  }

  /** A worker is about to give its first answer: that came after the start and about one request's work. */
  noteReady(worker: Worker, nowMs: number): void {
    const sampleMs = worker.startMs(nowMs);
    if (this.#serviceMs === undefined || sampleMs === undefined) return;
    const spawnMs = worker.bornMs - worker.slot.takenAtMs;
    this.#startMs = mix(this.#startMs, Math.max(spawnMs, sampleMs - this.#serviceMs));
  }

  /** A request is about to end; what was cut short says nothing about the others. */
  noteEnded(worker: Worker, nowMs: number, isClean: boolean): void {
    const sampleMs = worker.noteEnded(nowMs);
    if (sampleMs !== undefined && isClean) this.#serviceMs = mix(this.#serviceMs, sampleMs);
  }
}
