// Step 11 of a launch: umask, environment and argv of the tenant's program.
import { LIMITS } from '../limits.js';
import { workerEnvironment, type Account, type Need } from '../privdrop/index.js';
import type { Blueprint } from './blueprint.js';
import { wallsOfLaunch } from './walls.js';

export interface StartOrder {
  readonly umask: number;
  readonly environment: readonly string[];
  readonly argv: readonly string[];
  readonly folders: readonly string[];
  readonly walls?: readonly string[];
  readonly needs: readonly Need[];
  readonly debianPackage: string;
}

/** For whom, and which of his applications. */
export interface Recipient {
  readonly account: Account;
  /** `user/app` */
  readonly app: string;
  readonly directory: string;
}

/** @throws UsherdError E_ISOLATION_FAILED where the application is to be isolated and cannot be */
export function startOrder(
  { account, app, directory }: Recipient,
  blueprint: Blueprint,
): StartOrder {
  const walls = wallsOfLaunch(blueprint, directory, account);
  return {
    umask: blueprint.umask | LIMITS.umaskAlways, // whatever the configuration says
    environment: workerEnvironment({
      account,
      app,
      runtime: { ...blueprint.environment, ...activation(blueprint) },
      manifest: blueprint.manifestEnvironment,
      temporaryDirectory: blueprint.temporaryDirectory,
    }),
    argv: blueprint.argv,
    folders: blueprint.folders,
    needs: needsOf(blueprint, account),
    debianPackage: blueprint.debianPackage,
    ...(walls !== undefined && { walls }),
  };
}

const HOME = '~/';
/** What means nothing else to a shell that looks for files. */
const PLAIN_PATH = /^(?:\/[A-Za-z0-9._-]+)+$/;

const needsOf = ({ needs }: Blueprint, { home }: Account): readonly Need[] =>
  needs.map(({ paths, ...need }) => ({
    ...need,
    paths: paths.flatMap((path) => {
      if (!path.startsWith(HOME)) return [path];
      return PLAIN_PATH.test(home) ? [`${home}/${path.slice(HOME.length)}`] : [];
    }),
  }));

/** HTTP servers take their socket in systemd's form; the launcher says the rest. FastCGI and SCGI have descriptor 0 alone. */
const activation = ({ protocol }: Blueprint): Readonly<Record<string, string>> =>
  protocol === 'http' ? { LISTEN_FDS: '1' } : {};
