// Step 11 of a launch: umask, environment and argv of the tenant's program.
import type { Config } from '../config/index.js';
import { workerEnvironment, type Account } from '../privdrop/index.js';
import type { Blueprint } from './blueprint.js';

/** Nobody but owner and group may ever write what a worker makes, whatever the configuration says. */
const UMASK_ALWAYS = 0o002;

export interface StartOrder {
  readonly umask: number;
  readonly environment: readonly string[];
  readonly argv: readonly string[];
  readonly folders: readonly string[];
}

export const startOrder = (
  config: Config,
  account: Account,
  app: string,
  blueprint: Blueprint,
): StartOrder => ({
  umask: config.umask | UMASK_ALWAYS,
  environment: workerEnvironment({
    account,
    app,
    runtime: { ...blueprint.environment, ...activation(blueprint) },
    manifest: blueprint.manifestEnvironment,
    temporaryDirectory: blueprint.temporaryDirectory,
  }),
  argv: blueprint.argv,
  folders: blueprint.folders,
});

/** HTTP servers take their socket in systemd's form; the launcher says the rest. FastCGI and SCGI have descriptor 0 alone. */
const activation = ({ protocol }: Blueprint): Readonly<Record<string, string>> =>
  protocol === 'http' ? { LISTEN_FDS: '1' } : {};
