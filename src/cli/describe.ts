// What an application is, from what the launcher saw: the manifest, clamped by the limits of its user, and the runtimes.
import { parseManifest, type Config } from '../config/index.js';
import { describeApplication, userLimits } from '../runtimes/index.js';
import type { DescribeInput, Description } from '../spawner/lean.js';

export function describe(config: Config, input: DescribeInput): Description {
  if (input.manifestText === undefined) return describeApplication(config, input, undefined);
  const parsed = parseManifest(input.manifestText, userLimits(config, input.user));
  if (parsed.ok) return describeApplication(config, input, parsed.manifest);
  const findings = parsed.findings.map(({ path = '', ...finding }) => ({
    ...finding,
    path: `${input.directory}/${path}`,
  }));
  return { ok: false, code: 'E_MANIFEST_INVALID', findings };
}
