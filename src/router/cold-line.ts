// Applications without a worker that a limit of their user or of all keeps from starting: one line for each user, and one for
// names of which nobody knows yet whether there is such an application.
import { LIMITS } from '../limits.js';
import type { Application } from './application.js';

interface Line {
  /** In the order in which they were held. Those whose requests have left are passed over. */
  readonly apps: Set<Application>;
  timer: NodeJS.Timeout | undefined;
}

/** No user has such a name. */
const strangersOf = (user: string): string => `${user}/`;

/**
 * Only the first of a line asks the supervisor again, whatever the number of those behind it: 500 cold applications of
 * a user at his limit cost as many questions as one. Bounded by the requests that wait.
 *
 * Anybody can ask for names that do not exist, hundreds at once, and the supervisor looks for few of them in a second: what
 * the user really has must not wait behind them.
 */
export class ColdLine {
  readonly #lines = new Map<string, Line>();
  readonly #ask: (app: Application) => void;

  /** @param ask sends the question of an application; its answer ends in `held` or `passed` */
  constructor(ask: (app: Application) => void) {
    this.#ask = ask;
  }

  /**
   * True: nobody of its user waits, so it may ask at once. Otherwise it has joined the line. A stranger may ask once: the
   * supervisor may know it.
   */
  enter(app: Application): boolean {
    const line = this.#lines.get(this.#nameFor(app));
    if (app.facts === undefined) return line?.apps.has(app) !== true;
    line?.apps.add(app);
    return line === undefined;
  }

  /** A limit refused its worker: it asks again after so many milliseconds, and everybody behind it waits for that. */
  held(app: Application, delayMs: number): void {
    const name = this.#nameFor(app);
    const line = this.#lines.get(name) ?? { apps: new Set(), timer: undefined };
    this.#lines.set(name, line);
    if (app.pending.size > 0) line.apps.add(app);
    else line.apps.delete(app);
    // So that a machine without any room is asked by all users together no more often than that.
    const fairMs = (this.#lines.size * 1_000) / LIMITS.coldQuestionsPerS;
    clearTimeout(line.timer);
    line.timer = setTimeout(
      () => this.#next(name, line),
      Math.max(delayMs, LIMITS.poolLimitHoldMinMs, fairMs),
    );
  }

  /** It has its worker, or was refused for what it is: whoever is next may have more luck. */
  passed(app: Application): void {
    const name = this.#nameFor(app);
    const line = this.#lines.get(name);
    if (line?.apps.delete(app) === true) this.#next(name, line);
  }

  /** Its requests have left. Where its line waited for an answer about it, the next one asks: the answer may take a launch. */
  left(app: Application): void {
    const name = this.#nameFor(app);
    const line = this.#lines.get(name);
    if (line?.apps.delete(app) === true && app.ticket !== undefined) this.#next(name, line);
  }

  /** How many wait. */
  get length(): number {
    let count = 0;
    for (const { apps } of this.#lines.values()) count += apps.size;
    return count;
  }

  /** Nothing that was asked will be answered. */
  clear(): void {
    for (const { timer } of this.#lines.values()) clearTimeout(timer);
    this.#lines.clear();
  }

  /** Of the line in which it is, which may know less of it than we do by now; else of the one where it belongs. */
  #nameFor(app: Application): string {
    const strangers = strangersOf(app.user);
    const isStranger = app.facts === undefined || this.#lines.get(strangers)?.apps.has(app);
    return isStranger === true ? strangers : app.user;
  }

  #next(name: string, line: Line): void {
    clearTimeout(line.timer);
    for (const app of line.apps) {
      if (app.pending.size > 0) {
        this.#ask(app);
        return;
      }
      line.apps.delete(app);
    }
    this.#lines.delete(name);
  }
}
