// The configuration that is valid now, and the account directory that follows from it; swapped together or not at all.
import type { Config } from '../config/index.js';
import {
  AccountDirectory,
  type ConfiguredAccount,
  type Mode,
  type Tools,
} from '../privdrop/index.js';
import type { RouterIdentity } from './directories.js';

export interface SettingsParts {
  readonly mode: Mode;
  readonly tools: Tools;
  readonly router: RouterIdentity;
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
    return this.#parts.router.uid;
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
  { mode, tools, router }: SettingsParts,
  config: Config,
): AccountDirectory {
  const configured = new Map<string, ConfiguredAccount>();
  for (const [name, { account }] of config.users) {
    if (account !== undefined) configured.set(name, account);
  }
  const { minUid, maxUid, supplementaryGroups } = config.identity;
  // Whoever is in these reaches the front sockets as a web server does, or root's own as the router does: no list takes them out.
  const frontGroups = config.front.sockets.map(({ group }) => group);
  const rules = {
    ...{ minUid, maxUid, supplementaryGroups },
    denyGroups: [...new Set([...config.identity.denyGroups, ...frontGroups])],
    forbiddenUids: new Map([[router.uid, 'the router']]),
    forbiddenGids: new Map([[router.gid, 'of the router']]),
  };
  return new AccountDirectory({ mode, tools, rules, configured });
}
