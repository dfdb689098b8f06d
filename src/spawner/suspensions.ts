// Who is suspended: by the admin's file, or by a command. A command is not written anywhere and ends with the supervisor.
import type { Config } from '../config/index.js';

export class Suspensions {
  /** As long as root has commanded: nobody else suspends. */
  readonly #byCommand = new Set<string>();

  suspend(user: string): void {
    this.#byCommand.add(user);
  }

  /** False if no command had suspended this user. */
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
