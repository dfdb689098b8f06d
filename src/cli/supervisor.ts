// `usherd supervisor`: puts the supervisor together. What systemd, or `usherd run`, starts as root.
import { parseManifest, type Config } from '../config/index.js';
import {
  describeApplication,
  markNames,
  userLimits,
  type Description,
  type Sighting,
} from '../runtimes/index.js';
import type { Logger } from '../log.js';
import { currentMode, type Mode } from './configuration.js';
import { serve, type Service, type ServiceGround } from './service.js';
import { readVersion } from './version.js';

interface DescribeInput extends Sighting {
  readonly manifestText: string | undefined;
}

/** The face of src/spawner/, as far as it is used here. */
interface SpawnerFace {
  readonly Supervisor: new (options: {
    readonly config: Config;
    readonly mode: Mode;
    readonly log: Logger;
    readonly describe: (config: Config, input: DescribeInput) => Description;
    readonly markNames: (config: Config) => readonly string[];
    readonly loadConfig: () => Promise<Config>;
    readonly version: string;
  }) => Service;
}

const SPAWNER = '../spawner/index.js';

export const runSupervisor = (argv: readonly string[]): Promise<number> =>
  serve('supervisor', argv, composeSupervisor);

async function composeSupervisor({ config, log, loadConfig }: ServiceGround): Promise<Service> {
  const { Supervisor } = (await import(SPAWNER)) as SpawnerFace;
  return new Supervisor({
    config,
    mode: currentMode(),
    log,
    describe,
    markNames: ({ runtimes }) => markNames(runtimes),
    loadConfig,
    version: readVersion(),
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
