// What the workers of a pool ask of the pool they belong to, and what they tell it.
import type { RetireReason } from './retire-reason.js';

export interface WorkersOwner {
  need(): void;
  retire(worker: string, reason: RetireReason): void;
  /** Look again what is needed; ends in `plan` of the workers. */
  plan(): void;
  /** Neither suspended nor without a supervisor. */
  mayStart(): boolean;
  queued(): number;
  oldestWaitMs(nowMs: number): number;
  usedAtMs(): number;
}
