// `usherd supervisor`: puts the supervisor together. What systemd, or `usherd run`, starts as root.
import { readVhosts, vhostsVersion } from '../config/index.js';
import { markNames } from '../runtimes/index.js';
import { Supervisor } from '../spawner/index.js';
import { currentMode } from './mode.js';
import { describe } from './describe.js';
import { threadsOf } from './node-flags.js';
import { serve, type Service, type ServiceGround } from './service.js';
import { readVersion } from './version.js';

/** Read at once: nothing of the environment stays. */
const threads = threadsOf(process.env);

export const runSupervisor = (argv: readonly string[]): Promise<number> =>
  serve('supervisor', argv, composeSupervisor);

function composeSupervisor({ config, log, loadConfig }: ServiceGround): Service {
  return new Supervisor({
    config,
    mode: currentMode(),
    log,
    describe,
    threads,
    markNames: ({ runtimes }) => markNames(runtimes),
    loadConfig,
    version: readVersion(),
    vhosts: {
      version: vhostsVersion,
      read: (directory) => readVhosts(directory, currentMode() === 'root'),
    },
  });
}
