// Work that never overlaps itself, for what must not be overtaken: a configuration read earlier must not be put in force later.

/**
 * Calls run one after another. Who comes while a call waits for its turn shares it: it has not begun, so it will see all
 * that is there now. So at most one waits.
 */
export function inTurns<T>(work: () => Promise<T>): () => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  let waiting: Promise<T> | undefined;
  return () => {
    if (waiting !== undefined) return waiting;
    const turn = last.then(() => {
      waiting = undefined;
      return work();
    });
    last = turn.catch(() => undefined); // whoever called hears of it
    waiting = turn;
    return turn;
  };
}
