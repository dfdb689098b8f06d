// What the router knows of one application, and the requests that wait until it knows enough.
import type { AppFacts } from '../ipc/index.js';
import { LIMITS } from '../limits.js';
import { Alarm, systemClock } from '../pool/index.js';
import { Figures } from './figures.js';
import type { Refusal, RequestFace } from './request-types.js';

export class Application {
  readonly id: string;
  readonly user: string;
  facts: AppFacts | undefined;
  #figures: Figures | undefined;
  workerCount = 0;
  /** Its own program takes a body without a length: its last worker spoke HTTP. */
  takesChunks = false;
  /** Runtimes that have or had a pool. */
  readonly runtimes = new Set<string>();
  /** Requests that came while nothing ran, and until when each waits; bounded by queue_length, in the order of their coming. */
  readonly pending = new Map<RequestFace, number>();
  /** Of the `need` that was sent for them, and for which runtime. */
  ticket: number | undefined;
  askedRuntime = '';
  /** By the runtime that was asked for: a script that nothing here can run says nothing about the program beside it. */
  readonly #refusals = new Map<string, { readonly refusal: Refusal; readonly untilMs: number }>();
  /** What the supervisor said when it last started no worker of a runtime, which its pool knows by the code alone. */
  readonly #told = new Map<string, Refusal>();
  #checkDueMs = 0;
  readonly #deadline = new Alarm(systemClock, () => this.#passed());
  #onDeadline: (late: readonly RequestFace[]) => void = () => undefined;
  #later: NodeJS.Timeout | undefined;

  constructor(id: string) {
    this.id = id;
    this.user = id.slice(0, Math.max(0, id.indexOf('/')));
  }

  /** Made with the first number: names that lead nowhere have none. */
  get figures(): Figures {
    return (this.#figures ??= new Figures());
  }

  get hasRefusals(): boolean {
    return this.#refusals.size > 0;
  }

  /** The last refusal of this runtime, for as long as it is remembered. */
  refusal(runtime: string, nowMs: number): Refusal | undefined {
    const known = this.#refusals.get(runtime);
    if (known === undefined || nowMs < known.untilMs) return known?.refusal;
    this.#refusals.delete(runtime);
    return undefined;
  }

  told(runtime: string, refusal: Refusal): void {
    this.#told.set(runtime, refusal);
  }

  /** A worker came: what was wrong then is mended. */
  started(runtime: string): void {
    this.#told.delete(runtime);
  }

  /** The refusal of a pool with what the supervisor said of it. */
  inWords(runtime: string, refusal: Refusal): Refusal {
    const told = this.#told.get(runtime);
    return told?.code === refusal.code ? { ...told, ...refusal } : refusal;
  }

  refuseFor(runtime: string, refusal: Refusal, durationMs: number): void {
    this.#refusals.set(runtime, { refusal, untilMs: performance.now() + durationMs });
  }

  forgive(): void {
    this.#refusals.clear();
  }

  /** Keep a request until the application is known, or its time is over. */
  wait(
    request: RequestFace,
    deadlineMs: number,
    onDeadline: (late: readonly RequestFace[]) => void,
  ): void {
    this.#onDeadline = onDeadline;
    this.#waitFor(request, deadlineMs);
  }

  /** Those who wait have so long from now on. */
  extend(deadlineMs: number): void {
    for (const request of this.pending.keys()) this.#waitFor(request, deadlineMs);
  }

  /** Nobody waits longer than that from now on. */
  shorten(deadlineMs: number): void {
    const latestMs = systemClock.now() + deadlineMs;
    for (const [request, untilMs] of this.pending) {
      this.pending.set(request, Math.min(untilMs, latestMs));
    }
    if (this.pending.size > 0) this.#deadline.arm(latestMs);
  }

  /** All of them, or some. */
  takePending(
    isMeant: (request: RequestFace) => boolean = (): boolean => true,
  ): readonly RequestFace[] {
    const taken = [...this.pending.keys()].filter(isMeant);
    for (const request of taken) this.pending.delete(request);
    if (this.pending.size === 0) this.close();
    return taken;
  }

  askLater(delayMs: number, ask: () => void): void {
    clearTimeout(this.#later);
    this.#later = setTimeout(ask, delayMs);
  }

  isCheckDue(nowMs: number): boolean {
    if (nowMs < this.#checkDueMs) return false;
    this.#checkDueMs = nowMs + LIMITS.changeCheckMs;
    return true;
  }

  close(): void {
    this.#deadline.disarm();
    clearTimeout(this.#later);
  }

  #waitFor(request: RequestFace, deadlineMs: number): void {
    const untilMs = systemClock.now() + deadlineMs;
    this.pending.set(request, untilMs);
    this.#deadline.arm(untilMs);
  }

  #passed(): void {
    const nowMs = systemClock.now();
    const late: RequestFace[] = [];
    for (const [request, untilMs] of this.pending) {
      if (untilMs > nowMs) continue;
      this.pending.delete(request);
      late.push(request);
    }
    for (const untilMs of this.pending.values()) this.#deadline.arm(untilMs);
    if (late.length > 0) this.#onDeadline(late);
  }
}
