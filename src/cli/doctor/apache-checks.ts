// What an Apache on this machine does with usherd: modules, the handler, what .htaccess may do, and the Authorization header.
import { readFile } from 'node:fs/promises';
import { findTool, runTool } from '../system-tools.js';
import { note, wrong, type Check, type Patient, type Symptom } from './diagnosis.js';

const APACHE_DEADLINE_MS = 10_000;
const NAMES = ['apache2ctl', 'apachectl', 'httpd'] as const;

/** Everything that Apache reads, by file. */
export interface ApacheSetting {
  readonly modules: ReadonlySet<string>;
  readonly files: readonly { readonly path: string; readonly text: string }[];
}

export const apache: Check = {
  name: 'Apache',
  async run(patient) {
    const setting = await readApache();
    return setting === undefined ? undefined : judgeApache(setting, patient);
  },
};

/** Undefined where there is no Apache, or its configuration does not load. */
async function readApache(): Promise<ApacheSetting | undefined> {
  for (const name of NAMES) {
    const control = await findTool(name);
    if (control === undefined) continue;
    const modules = await runTool(control, ['-t', '-D', 'DUMP_MODULES'], APACHE_DEADLINE_MS);
    const includes = await runTool(control, ['-t', '-D', 'DUMP_INCLUDES'], APACHE_DEADLINE_MS);
    if (modules.exitCode !== 0) return undefined;
    const paths = [...includes.stdout.matchAll(/^\s+\(.*?\)\s+(\/.+)$/gm)].map(
      ([, path]) => path ?? '',
    );
    const files = await Promise.all(
      paths.map(async (path) => ({ path, text: await readFile(path, 'utf8').catch(() => '') })),
    );
    const found = [...modules.stdout.matchAll(/^\s+(\w+)_module\b/gm)].map(([, it]) => it ?? '');
    return { modules: new Set(found), files };
  }
  return undefined;
}

export function judgeApache(setting: ApacheSetting, { config }: Patient): readonly Symptom[] {
  const sockets = config.front.sockets.map(({ path }) => path);
  const isTold = setting.files.some(({ text }) => sockets.some((path) => text.includes(path)));
  if (!isTold) return [notTold(sockets)];
  return [
    ...missingModules(setting),
    ...authorization(setting),
    ...overrides(setting, config.front.authentication),
    ...serverInfo(setting),
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
const says = ({ files }: ApacheSetting, directive: RegExp): string | undefined =>
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

function overrides(setting: ApacheSetting, authentication: 'none' | 'token'): readonly Symptom[] {
  const path = says(
    setting,
    /^\s*AllowOverride(List)?\s+.*\b(All|FileInfo|SetHandler|RewriteRule|ProxyFCGISetEnvIf)\b/i,
  );
  if (path === undefined || authentication === 'token') return [];
  return [
    wrong({
      rule: 'apache-allowoverride',
      path,
      found:
        'AllowOverride lets .htaccess files set handlers and variables, and authentication is "none"',
      expected:
        'one of the two: whoever writes such a file can have his request run as another user',
      remedy:
        '`AllowOverride None` (or AuthConfig Limit Indexes) for directories of users, or `authentication = "token"` in [front]',
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
