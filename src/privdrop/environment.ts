// The whole environment of a worker, built from nothing: the supervisor's own is never copied.
import { UsherdError, type Finding } from '../errors.js';
import { LIMITS } from '../limits.js';
import type { Account } from './identity.js';
import { isUsherdsOwn, SHELLS_OWN, SHELLS_OWN_PREFIX } from './reserved-names.js';

export interface EnvironmentInput {
  readonly account: Account;
  /** `user/app` */
  readonly app: string;
  readonly runtime: ReadonlyMap<string, string> | Readonly<Record<string, string>>;
  readonly manifest: ReadonlyMap<string, string>;
  readonly lang?: string;
  readonly temporaryDirectory: string;
}

const PATH = '/usr/local/bin:/usr/bin:/bin';
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,255}$/;
const UNSENDABLE = /[\n\0]/;

const refused = (name: string, expected: string): UsherdError => {
  const finding: Finding = {
    rule: 'environment-name',
    found: JSON.stringify(name.slice(0, 64)),
    expected,
    remedy: 'take it out of the environment of the application or the runtime',
  };
  const findings = [finding];
  return new UsherdError('E_ACCESS_REFUSED', `environment variable ${finding.found}`, { findings });
};

function checkName(name: string): void {
  if (!NAME.test(name)) throw refused(name, 'letters, digits and _, no digit first, at most 256');
  if (SHELLS_OWN.has(name) || name.startsWith(SHELLS_OWN_PREFIX)) {
    throw refused(name, 'a name that the shell does not keep for itself');
  }
}

function checkValue(name: string, value: string): void {
  if (UNSENDABLE.test(value)) throw refused(name, 'a value without newline and NUL');
}

function* settings(source: EnvironmentInput['runtime']): Iterable<readonly [string, string]> {
  const all: Iterable<[string, string]> = isMap(source) ? source : Object.entries(source);
  for (const [name, value] of all) {
    checkName(name);
    checkValue(name, value);
    yield [name, value];
  }
}

const isMap = (source: EnvironmentInput['runtime']): source is ReadonlyMap<string, string> =>
  source instanceof Map;

/**
 * `NAME=value` lines: ours, then the runtime's, then the application's; later ones replace earlier ones.
 * @throws UsherdError E_ACCESS_REFUSED for names and values that may not be set
 */
export function workerEnvironment(input: EnvironmentInput): string[] {
  const { account, app, runtime, manifest, lang = 'C.UTF-8', temporaryDirectory } = input;
  const environment = new Map<string, string>([
    ['PATH', PATH],
    ['HOME', account.home],
    ['USER', account.name],
    ['LOGNAME', account.name],
    ['SHELL', '/bin/sh'],
    ['LANG', lang],
    ['TMPDIR', temporaryDirectory],
    ['USHERD_APP', app],
  ]);
  for (const [name, value] of environment) checkValue(name, value);
  for (const [name, value] of settings(runtime)) environment.set(name, value);
  for (const [name, value] of settings(manifest)) {
    if (isUsherdsOwn(name)) throw refused(name, 'a name that usherd does not keep for itself');
    environment.set(name, value);
  }
  if (environment.size > LIMITS.environmentMaxCount) {
    throw refused('', `at most ${LIMITS.environmentMaxCount} variables`);
  }
  return [...environment].map(([name, value]) => `${name}=${value}`);
}
