// `usherd supervisor`: puts the supervisor together. What systemd, or `usherd run`, starts as root.
import { parseManifest, readVhosts, vhostsVersion, type Config } from '../config/index.js';
import { describeApplication, markNames, userLimits } from '../runtimes/index.js';
import { Supervisor, type DescribeInput, type Description } from '../spawner/index.js';
import { currentMode } from './configuration.js';
import { serve, type Service, type ServiceGround } from './service.js';
import { readVersion } from './version.js';

export const runSupervisor = (argv: readonly string[]): Promise<number> =>
  serve('supervisor', argv, composeSupervisor);

function composeSupervisor({ config, log, loadConfig }: ServiceGround): Service {
  return new Supervisor({
    config,
    mode: currentMode(),
    log,
    describe,
    markNames: ({ runtimes }) => markNames(runtimes),
    loadConfig,
    version: readVersion(),
    vhosts: {
      version: vhostsVersion,
      read: (directory) => readVhosts(directory, currentMode() === 'root'),
    },
  });
}

/** The manifest, clamped by the limits of its user, and what the launcher saw make a blueprint. */
export function describe(config: Config, input: DescribeInput): Description {
  if (input.manifestText === undefined) return describeApplication(config, input, undefined);
  const parsed = parseManifest(input.manifestText, userLimits(config, input.user));
  if (parsed.ok) return describeApplication(config, input, parsed.manifest);
  const [first] = parsed.findings;
  const detail = `${first?.path ?? ''}: ${first?.found ?? ''}; expected ${first?.expected ?? ''}`;
  return { ok: false, code: 'E_MANIFEST_INVALID', rule: first?.rule ?? 'manifest', detail };
}
