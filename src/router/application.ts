// What the router knows of one application, and the requests that wait until it knows enough.
import type { AppFacts } from '../ipc/index.js';
import { LIMITS } from '../limits.js';
import { Figures } from './figures.js';
import type { Refusal, RequestFace } from './request-types.js';

export class Application {
  readonly id: string;
  facts: AppFacts | undefined;
  #figures: Figures | undefined;
  workerCount = 0;
  /** Its own program takes a body without a length: its last worker spoke HTTP. */
  takesChunks = false;
  /** Runtimes that have or had a pool. */
  readonly runtimes = new Set<string>();
  /** Requests that came while nothing ran; bounded by queue_length, in the order of their coming. */
  readonly pending = new Set<RequestFace>();
  /** Of the `need` that was sent for them. */
  ticket: number | undefined;
  #refusal: Refusal | undefined;
  #refusedUntilMs = 0;
  #checkDueMs = 0;
  #deadline: NodeJS.Timeout | undefined;
  #later: NodeJS.Timeout | undefined;

  constructor(id: string) {
    this.id = id;
  }

  /** Made with the first number: names that lead nowhere have none. */
  get figures(): Figures {
    return (this.#figures ??= new Figures());
  }

  /** The last refusal, for as long as it is remembered. */
  refusal(nowMs: number): Refusal | undefined {
    return nowMs < this.#refusedUntilMs ? this.#refusal : undefined;
  }

  refuseFor(refusal: Refusal, durationMs: number): void {
    this.#refusal = refusal;
    this.#refusedUntilMs = performance.now() + durationMs;
  }

  forgive(): void {
    this.#refusal = undefined;
    this.#refusedUntilMs = 0;
  }

  /** Keep a request until the application is known; the first one's deadline is everybody's. */
  wait(request: RequestFace, deadlineMs: number, onDeadline: () => void): void {
    this.pending.add(request);
    this.#deadline ??= setTimeout(() => {
      this.#deadline = undefined;
      onDeadline();
    }, deadlineMs);
  }

  takePending(): readonly RequestFace[] {
    const taken = [...this.pending];
    this.pending.clear();
    this.close();
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
    clearTimeout(this.#deadline);
    clearTimeout(this.#later);
    this.#deadline = undefined;
  }
}
