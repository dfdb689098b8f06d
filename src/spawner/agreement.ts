// Whether the router has read the same configuration: asked at each reload, answered once, with a deadline.
import type { RouterMessage } from '../ipc/index.js';
import { LIMITS } from '../limits.js';

/** `alone`: there is no router, and the next one reads for itself. `silent`: it was told and does not say what it did. */
export type Agreement =
  | { readonly kind: 'agreed' | 'alone' | 'silent' }
  | { readonly kind: 'refused'; readonly detail: string };

interface Question {
  readonly digest: string;
  readonly settle: (agreement: Agreement) => void;
}

export class RouterAgreement {
  #open: Question | undefined;

  /** One at a time. `send` tells the router, and is false if there is none. */
  ask(digest: string, send: () => boolean): Promise<Agreement> {
    return new Promise((resolve) => {
      const settle = (agreement: Agreement): void => {
        clearTimeout(deadline);
        this.#open = undefined;
        resolve(agreement);
      };
      const deadline = setTimeout(() => settle({ kind: 'silent' }), LIMITS.reloadDeadlineMs);
      this.#open = { digest, settle };
      if (!send()) settle({ kind: 'alone' });
    });
  }

  answered({ digest, detail }: Extract<RouterMessage, { type: 'reloaded' }>): void {
    if (this.#open?.digest !== digest) return; // of a question that nobody waits for any more
    this.#open.settle(detail === '' ? { kind: 'agreed' } : { kind: 'refused', detail });
  }

  /** The router is gone. */
  abandon(): void {
    this.#open?.settle({ kind: 'alone' });
  }
}
