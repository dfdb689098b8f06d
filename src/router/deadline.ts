// One timer that stands for whichever deadline a request is under; arming it anew disarms the one before.
import type { ErrorCode } from '../errors.js';

export class Deadline {
  readonly #onPassed: (code: ErrorCode) => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(onPassed: (code: ErrorCode) => void) {
    this.#onPassed = onPassed;
  }

  arm(code: ErrorCode, delayMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#onPassed, Math.max(0, delayMs), code);
  }

  disarm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
