// Whether this machine needs front tokens: whether a user could have his request run as another, by way of the web server.
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { USER_NAME, type Config } from '../../config/index.js';
import { TokenFiles } from '../token-files.js';
import { readApache, says, type ApacheSetting } from './apache-checks.js';
import { note, wrong, type Check, type Symptom } from './diagnosis.js';

/** What the judgement rests on. */
export interface TokenSituation {
  readonly authentication: 'none' | 'token';
  /** Who has a directory for applications; undefined where that cannot be seen. */
  readonly users: readonly string[] | undefined;
  readonly usersWithToken: readonly string[];
  /** Undefined where there is none. */
  readonly apache: ApacheSetting | undefined;
}

export const frontTokens: Check = {
  name: 'front tokens',
  async run({ config, isRoot }) {
    const owners = { uid: 0, gid: 0, routerGid: 0 };
    const apache = await readApache();
    return judgeTokens({
      authentication: config.front.authentication,
      users: isRoot ? await usersOf(config) : undefined,
      usersWithToken: isRoot ? await new TokenFiles(config, owners).users() : [],
      apache: apache?.problem === '' ? apache : undefined,
    });
  },
};

/** By the roots: nothing below a user's directory is looked at. */
async function usersOf({ apps, identity }: Config): Promise<readonly string[]> {
  const found = new Set<string>();
  for (const root of apps.roots) {
    const [above = '', below = ''] = root.split('/{user}');
    // A root such as /srv/{app}/{user} has no list of users.
    if (below === '' || above.includes('{app}')) continue;
    for (const name of (await readdir(above).catch(() => [])).filter((it) => USER_NAME.test(it))) {
      const stats = await stat(join(above, name)).catch(() => undefined);
      if (stats?.isDirectory() === true && stats.uid >= identity.minUid) found.add(name);
    }
  }
  return [...found].sort();
}

export function judgeTokens(situation: TokenSituation): readonly Symptom[] {
  const { authentication, users, usersWithToken } = situation;
  if (authentication === 'token') {
    const without = (users ?? []).filter((user) => !usersWithToken.includes(user));
    const named = without.slice(0, NAMED_MAX_COUNT).map(withoutToken);
    return [...named, ...others(without.length - named.length)];
  }
  if (users !== undefined && users.length < 2) return [];
  return [...overrides(situation), ...foreignCode(situation)];
}

const NAMED_MAX_COUNT = 8;

const withoutToken = (user: string): Symptom =>
  note({
    rule: 'token-missing',
    found: `${user} has no front token: requests for ${user}’s applications are answered with 403 refused-token`,
    expected: 'a token for everybody who has applications',
    remedy: `usherd token new ${user} && apachectl graceful`,
  });

/** A machine on which nobody has one yet would fill the screen. */
const others = (count: number): readonly Symptom[] =>
  count <= 0
    ? []
    : [
        note({
          rule: 'token-missing',
          found: `${count} more users have no front token`,
          expected: 'a token for everybody who has applications',
          remedy: '`usherd token list` says who has one; `usherd token new USER` for each',
        }),
      ];

const HTACCESS =
  /^\s*AllowOverride(List)?\s+.*\b(All|FileInfo|SetHandler|RewriteRule|ProxyFCGISetEnvIf)\b/i;

/** Without sections about /usr: no user writes a file there, and packages of web applications turn .htaccess on for their own. */
function withoutSystem(setting: ApacheSetting): ApacheSetting {
  const files = setting.files.map(({ path, text }) => {
    return { path, text: text.replace(SYSTEM_SECTION, '') };
  });
  return { ...setting, files };
}

const SYSTEM_SECTION = /^[ \t]*<Directory[ \t]+"?\/usr\/[^>~*?[]*>[^]*?^[ \t]*<\/Directory>/gim;

function overrides({ apache, users }: TokenSituation): readonly Symptom[] {
  const path = apache === undefined ? undefined : says(withoutSystem(apache), HTACCESS);
  if (path === undefined) return [];
  return [
    wrong({
      rule: 'tokens-needed',
      path,
      found:
        'AllowOverride lets .htaccess files set handlers and variables, several users share this web server, and authentication is "none": whoever writes such a file can have his request run as another user',
      expected: 'front tokens, or no such .htaccess files',
      remedy: `${makeTokens(users)}; then authentication = "token" in [front] of usherd.toml; apachectl graceful; usherd reload. Or instead \`AllowOverride None\` (or AuthConfig Limit Indexes) for directories of users`,
    }),
  ];
}

function makeTokens(users: readonly string[] | undefined): string {
  if (users === undefined || users.length > NAMED_MAX_COUNT)
    return '`usherd token new USER` for each';
  return `for user in ${users.join(' ')}; do usherd token new $user; done`;
}

/** What Debian calls a module: PHP's has the version in its name, and a2dismod(8) takes wildcards. */
const debianName = (module: string): string => (/^php\d*$/.test(module) ? "'php*'" : module);

/** Programs of users in the web server's own processes, or as its account. */
const CODE_MODULES = /^(?:php\d*|perl|lua|cgid?|python|wsgi)$/;

/** That account may connect to every front socket, and with tokens still has them in its memory. */
function foreignCode({ apache }: TokenSituation): readonly Symptom[] {
  const found = [...(apache?.modules ?? [])].filter((name) => CODE_MODULES.test(name));
  if (found.length === 0) return [];
  return [
    note({
      rule: 'web-server-code',
      found: `Apache has loaded ${found.map((name) => `mod_${name}`).join(', ')}: a user’s program that it runs is the web server, and can send any request to any application`,
      expected:
        'no program of a user under the web server’s account; a token would not keep it out',
      remedy: `a2dismod ${found.map(debianName).join(' ')} && systemctl restart apache2, or make sure that no user’s directory is served by them`,
    }),
  ];
}
