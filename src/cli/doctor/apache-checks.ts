// What an Apache on this machine does with usherd: modules, the handler, and the Authorization header.
import { readFile } from 'node:fs/promises';
import { longestSilenceMs, patienceS } from '../front-patience.js';
import { findTool, runTool } from '../system-tools.js';
import { note, wrong, type Check, type Patient, type Symptom } from './diagnosis.js';

const APACHE_DEADLINE_MS = 10_000;
const NAMES = ['apache2ctl', 'apachectl', 'httpd'] as const;

/** Everything that Apache reads, by file. */
export interface ApacheSetting {
  readonly modules: ReadonlySet<string>;
  /** The last complaint of a configuration that does not load; '' if it does. */
  readonly problem: string;
  readonly files: readonly { readonly path: string; readonly text: string }[];
}

export const apache: Check = {
  name: 'Apache',
  async run(patient) {
    const setting = await readApache();
    // Debian's apachectl makes directories first, which is root's business.
    if (setting === undefined || (setting.problem !== '' && !patient.isRoot)) return undefined;
    return judgeApache(setting, patient);
  },
};

/** Undefined where there is no Apache. */
export async function readApache(): Promise<ApacheSetting | undefined> {
  for (const name of NAMES) {
    const control = await findTool(name);
    if (control === undefined) continue;
    const modules = await runTool(control, ['-t', '-D', 'DUMP_MODULES'], APACHE_DEADLINE_MS);
    const includes = await runTool(control, ['-t', '-D', 'DUMP_INCLUDES'], APACHE_DEADLINE_MS);
    const paths = [...includes.stdout.matchAll(/^\s+\(.*?\)\s+(\/.+)$/gm)].map(
      ([, path]) => path ?? '',
    );
    const files = await Promise.all(
      paths.map(async (path) => ({ path, text: await readFile(path, 'utf8').catch(() => '') })),
    );
    const found = [...modules.stdout.matchAll(/^\s+(\w+)_module\b/gm)].map(([, it]) => it ?? '');
    const problem = modules.exitCode === 0 ? '' : complaintIn(modules.stderr);
    return { modules: new Set(found), files, problem };
  }
  return undefined;
}

/** The line of the file comes first, what is wrong with it after that. */
export function complaintIn(stderr: string): string {
  const lines = stderr
    .split('\n')
    .filter((line) => /\S/.test(line) && !/Action '.*' failed|The Apache error log/.test(line));
  return lines.length === 0 ? 'it does not say why' : printable(lines.slice(-2).join(' '));
}

const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?').slice(0, 300);

const broken = (problem: string): Symptom =>
  wrong({
    rule: 'apache-configuration',
    found: `Apache does not load its configuration: ${problem}`,
    expected:
      'a configuration that `apachectl configtest` accepts: the next restart fails otherwise',
    remedy: 'apachectl configtest, and mend what it names',
  });

export function judgeApache(setting: ApacheSetting, { config }: Patient): readonly Symptom[] {
  if (setting.problem !== '') return [broken(setting.problem)];
  const sockets = config.front.sockets.map(({ path }) => path);
  const isTold = setting.files.some(({ text }) => sockets.some((path) => text.includes(path)));
  if (!isTold) return [notTold(sockets)];
  return [
    ...missingModules(setting),
    ...authorization(setting),
    ...serverInfo(setting),
    ...timeout(setting, longestSilenceMs(config)),
  ];
}

const notTold = (sockets: readonly string[]): Symptom =>
  note({
    rule: 'apache-not-told',
    found: `no file of Apache's configuration names ${sockets.join(' or ')}`,
    expected: 'the configuration of conf.example/apache, if Apache is to serve applications',
    remedy: 'a2enmod proxy_fcgi setenvif && a2enconf usherd && systemctl reload apache2',
  });

const NEEDED = ['proxy', 'proxy_fcgi', 'alias', 'setenvif'] as const;

const missingModules = ({ modules }: ApacheSetting): readonly Symptom[] =>
  NEEDED.filter((name) => !modules.has(name)).map((name) =>
    wrong({
      rule: 'apache-module',
      found: `Apache has not loaded mod_${name}`,
      expected: `mod_${name}, which hands requests to usherd`,
      remedy: `a2enmod ${name} && systemctl restart apache2`,
    }),
  );

/** Comments are not directives. */
export const says = ({ files }: ApacheSetting, directive: RegExp): string | undefined =>
  files.find(({ text }) =>
    text.split('\n').some((line) => !line.trimStart().startsWith('#') && directive.test(line)),
  )?.path;

function authorization(setting: ApacheSetting): readonly Symptom[] {
  const passes = says(
    setting,
    /\bCGIPassAuth\s+On\b|HTTP_AUTHORIZATION|SetEnvIf\w*\s+"?Authorization/i,
  );
  if (passes !== undefined) return [];
  return [
    note({
      rule: 'apache-authorization',
      found: 'Apache keeps the Authorization header from applications',
      expected: 'applications that check passwords or tokens themselves get it',
      remedy:
        '`CGIPassAuth On` in the <Directory> of the applications, then systemctl reload apache2',
    }),
  ];
}

const serverInfo = ({ modules }: ApacheSetting): readonly Symptom[] =>
  modules.has('info')
    ? [
        note({
          rule: 'apache-info',
          found: 'Apache has loaded mod_info, which shows its whole configuration',
          expected: 'no mod_info on a machine with users who do not trust each other',
          remedy: 'a2dismod info && systemctl restart apache2',
        }),
      ]
    : [];

/** In seconds, where nothing is said at all. */
const DEFAULT_TIMEOUT_S = 60;

/** That of the connections to usherd, else the one for all of mod_proxy's, else the one for everything. */
function timeoutS({ files }: ApacheSetting): number {
  const text = files.map((file) => file.text.replace(/^\s*#.*$/gm, '')).join('\n');
  const [, own = ''] =
    /^\s*<Proxy\s+"?fcgi:\/\/usherd\b.*\btimeout=(\d+|\$\{\w+\})/m.exec(text) ?? [];
  const name = /\w+/.exec(own)?.[0] ?? '';
  const said = [
    new RegExp(`^\\s*Define\\s+${name}\\s+"?(\\d+)`, 'm').exec(own.startsWith('$') ? text : ''),
    /^(\d+)$/.exec(own),
    /^\s*ProxyTimeout\s+(\d+)/im.exec(text),
    /^\s*TimeOut\s+(\d+)/im.exec(text),
  ].find((found) => found !== null);
  return said === undefined ? DEFAULT_TIMEOUT_S : Number(said[1]);
}

function timeout(setting: ApacheSetting, silenceMs: number): readonly Symptom[] {
  const waitsS = timeoutS(setting);
  if (waitsS * 1_000 >= silenceMs) return [];
  return [
    note({
      rule: 'apache-timeout',
      found: `Apache waits ${waitsS} s for usherd, and first_byte_timeout or silence_timeout is ${silenceMs / 1_000} s`,
      expected: 'Apache waits longer than usherd, whose answer says what took so long',
      remedy: `Define USHERD_TIMEOUT ${patienceS(silenceMs)} before usherd.conf is read, as \`usherd apache-config\` prints it, then systemctl reload apache2`,
    }),
  ];
}
