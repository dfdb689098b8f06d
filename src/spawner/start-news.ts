// Who asked for the start of an application hears what became of it: the next launch or refusal, within a deadline.
import { LIMITS } from '../limits.js';
import type { Refusal } from './blueprint.js';

/** `waiting`: neither yet; it waits for a place, or its program is slow to come. */
export type StartOutcome =
  | { readonly outcome: 'started' | 'waiting' | 'runs' | 'no-router' }
  | {
      readonly outcome: 'refused';
      readonly code: string;
      readonly rule: string;
      readonly detail: string;
      readonly remedy: string;
    };

type Settle = (outcome: StartOutcome) => void;

/** At most one open question for each connection of the control socket, whose number is bounded. */
export class StartNews {
  readonly #open = new Map<string, Set<Settle>>();

  /** `send` tells the router, and is false if there is none. */
  next(app: string, send: () => boolean): Promise<StartOutcome> {
    return new Promise((resolve) => {
      const settles = this.#open.get(app) ?? new Set<Settle>();
      this.#open.set(app, settles);
      const settle = (outcome: StartOutcome): void => {
        clearTimeout(deadline);
        settles.delete(settle);
        if (settles.size === 0 && this.#open.get(app) === settles) this.#open.delete(app);
        resolve(outcome);
      };
      const deadline = setTimeout(() => settle({ outcome: 'waiting' }), LIMITS.startNewsMs);
      settles.add(settle);
      if (!send()) settle({ outcome: 'no-router' });
    });
  }

  started(app: string): void {
    this.#tell(app, { outcome: 'started' });
  }

  refused(app: string, { code, rule, detail, remedy }: Refusal): void {
    if (code === 'E_SPAWN_LIMIT') return;
    this.#tell(app, { outcome: 'refused', code, rule, detail, remedy });
  }

  #tell(app: string, outcome: StartOutcome): void {
    for (const settle of [...(this.#open.get(app) ?? [])]) settle(outcome);
  }
}
