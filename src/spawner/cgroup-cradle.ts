// Where a launch is born: a group of its own from the first instruction, so that nobody can leave anything outside.
//
// A launcher that is the user already, and not yet in the group of its worker, can be traced by other processes of that
// user and made to fork. So the supervisor forks it from inside a cradle, a group without limits that holds nothing else,
// and is out again before it does anything more. Once the launcher has moved on, whoever is still in the cradle does not
// belong there. There is no moment at which the launcher is in the supervisor's own group.
import { join } from 'node:path';
import { directoryOf, killGroup, makeGroup, moveInto, removeGroup } from './cgroup-files.js';

export class Cradle {
  readonly #path: string;
  /** The supervisor's own group. */
  readonly #home: string;

  constructor(tree: string, worker: string, home: string) {
    this.#path = join(tree, `c${worker}`);
    this.#home = home;
  }

  /**
   * What `spawn` starts begins in here. Synchronous: nothing else of the supervisor's is ever born in a cradle.
   * @throws Error if the supervisor does not get in; the caller has nothing to clean up
   */
  bear<T extends { kill(signal: 'SIGKILL'): unknown }>(spawn: () => T): T {
    if (!makeGroup(this.#path)) throw new Error('the cgroup of a launch cannot be made');
    if (!moveInto(this.#path, 'self')) {
      moveInto(this.#home, 'self');
      throw new Error('the cgroup of a launch cannot be entered');
    }
    let born: T | undefined;
    let isHome = false;
    try {
      born = spawn();
    } finally {
      isHome = moveInto(this.#home, 'self');
      if (!isHome) born?.kill('SIGKILL');
    }
    if (!isHome) throw new Error('the supervisor did not get back into its own cgroup');
    return born;
  }

  /** The launch has moved on, or is over: ends whoever is left. Not while we are inside, should we ever be stuck. */
  clear(): void {
    if (directoryOf('self') !== this.#path) killGroup(this.#path);
  }

  async remove(): Promise<void> {
    await removeGroup(this.#path);
  }
}
