// The configuration that is valid now, and the account directory that follows from it; swapped together or not at all.
import type { Config } from '../config/index.js';
import {
  AccountDirectory,
  type ConfiguredAccount,
  type Mode,
  type Tools,
} from '../privdrop/index.js';

export interface SettingsParts {
  readonly mode: Mode;
  readonly tools: Tools;
  readonly routerUid: number;
}

export class Settings {
  readonly #parts: SettingsParts;
  #config: Config;
  #accounts: AccountDirectory;

  constructor(parts: SettingsParts, config: Config) {
    this.#parts = parts;
    this.#config = config;
    this.#accounts = accountsOf(parts, config);
  }

  get routerUid(): number {
    return this.#parts.routerUid;
  }

  get config(): Config {
    return this.#config;
  }

  get accounts(): AccountDirectory {
    return this.#accounts;
  }

  /** The run-time directory stays where it is: its sockets are open. */
  swap(config: Config): void {
    this.#config = { ...config, paths: { ...config.paths, run: this.#config.paths.run } };
    this.#accounts = accountsOf(this.#parts, config);
  }
}

/** Also for commands that become a user without a supervisor. */
export function accountsOf(
  { mode, tools, routerUid }: SettingsParts,
  config: Config,
): AccountDirectory {
  const configured = new Map<string, ConfiguredAccount>();
  for (const [name, { account }] of config.users) {
    if (account !== undefined) configured.set(name, account);
  }
  const { minUid, maxUid, denyGroups, supplementaryGroups } = config.identity;
  const forbiddenUids = new Map([[routerUid, 'the router']]);
  const rules = { minUid, maxUid, denyGroups, supplementaryGroups, forbiddenUids };
  return new AccountDirectory({ mode, tools, rules, configured });
}
