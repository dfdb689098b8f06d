// `usherd router`: puts the router together. What systemd, or `usherd run`, starts without any privilege.
import type { Config } from '../config/index.js';
import type { Logger } from '../log.js';
import { serve, type Service, type ServiceGround } from './service.js';
import { readVersion } from './version.js';

/** The face of src/router/, as far as it is used here. */
interface RouterFace {
  readonly Router: new (options: {
    readonly config: Config;
    readonly log: Logger;
    readonly version: string;
    readonly loadConfig: () => Promise<Config>;
  }) => Service;
}

const ROUTER = '../router/index.js';

export const runRouter = (argv: readonly string[]): Promise<number> =>
  serve('router', argv, composeRouter);

async function composeRouter({ config, log, loadConfig }: ServiceGround): Promise<Service> {
  const { Router } = (await import(ROUTER)) as RouterFace;
  return new Router({ config, log, version: readVersion(), loadConfig });
}
