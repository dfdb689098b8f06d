// Who is suspended: by the admin's file, or by a command. A command is not written anywhere and ends with the supervisor.
import type { Config } from '../config/index.js';

export class Suspensions {
  readonly #byCommand = new Set<string>();

  /** False if it was already so. Bounded: only users who could have workers at all are worth a command. */
  suspend(user: string): boolean {
    if (this.#byCommand.has(user)) return false;
    this.#byCommand.add(user);
    return true;
  }

  resume(user: string): boolean {
    return this.#byCommand.delete(user);
  }

  has(config: Config, user: string): boolean {
    return this.#byCommand.has(user) || isSuspendedByFile(config, user);
  }

  /** All of them, for a router that has just connected. */
  all(config: Config): readonly string[] {
    const byFile = [...config.users.keys()].filter((user) => isSuspendedByFile(config, user));
    return [...new Set([...byFile, ...this.#byCommand])];
  }
}

export const isSuspendedByFile = (config: Config, user: string): boolean =>
  config.users.get(user)?.suspended ?? false;
