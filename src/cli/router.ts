// `usherd router`: puts the router together. What systemd, or `usherd run`, starts without any privilege.
import { Router } from '../router/index.js';
import { readVersion } from './version.js';
import { serve, type Service, type ServiceGround } from './service.js';

export const runRouter = (argv: readonly string[]): Promise<number> =>
  serve('router', argv, composeRouter);

const composeRouter = (ground: ServiceGround): Service =>
  new Router({ ...ground, onOutdated: ground.end, version: readVersion() });
