// What an nginx on this machine does with usherd: whether it is told, may connect, waits long enough, and follows whose links.
import { longestSilenceMs, patienceS } from '../front-patience.js';
import { findTool, runTool } from '../system-tools.js';
import { note, wrong, type Check, type Patient, type Symptom } from './diagnosis.js';

const NGINX_DEADLINE_MS = 10_000;

/** What `nginx -T` prints, comments taken out. */
export interface NginxSetting {
  readonly text: string;
  /** The first complaint of a configuration that does not load; '' if it does. */
  readonly problem: string;
}

export const nginx: Check = {
  name: 'nginx',
  async run(patient) {
    const program = await findTool('nginx');
    if (program === undefined || !patient.isRoot) return undefined;
    const { exitCode, stdout, stderr } = await runTool(program, ['-T'], NGINX_DEADLINE_MS);
    const problem =
      exitCode === 0 ? '' : (/\[emerg\] (.*)/.exec(stderr)?.[1] ?? 'it does not say why');
    return judgeNginx({ text: withoutComments(stdout), problem }, patient);
  },
};

const withoutComments = (text: string): string => text.replace(/^\s*#.*$/gm, '');

export function judgeNginx(setting: NginxSetting, patient: Patient): readonly Symptom[] {
  const { text, problem } = setting;
  const { sockets } = patient.config.front;
  const own = sockets.filter(({ path }) => text.includes(`unix:${path}`));
  if (problem !== '') return [broken(problem)];
  if (own.length === 0) return [notTold(sockets.map(({ path }) => path))];
  return [
    ...account(
      text,
      own.map(({ group }) => group),
    ),
    ...timeouts(text, longestSilenceMs(patient.config)),
    ...links(text),
  ];
}

const broken = (problem: string): Symptom =>
  wrong({
    rule: 'nginx-configuration',
    found: `nginx does not load its configuration: ${problem}`,
    expected: 'a configuration that `nginx -t` accepts: the next restart fails otherwise',
    remedy: 'nginx -t, and mend what it names',
  });

const notTold = (sockets: readonly string[]): Symptom =>
  note({
    rule: 'nginx-not-told',
    found: `nothing in nginx's configuration names ${sockets.join(' or ')}`,
    expected: 'the configuration of conf.example/nginx, if nginx is to serve applications',
    remedy: 'see the first lines of what `usherd nginx-config` prints, then systemctl reload nginx',
  });

/** `user www-data;` is its group, too, unless there is a second word. */
function account(text: string, groups: readonly string[]): readonly Symptom[] {
  const [, user = 'www-data', group = user] =
    /^\s*user\s+(\S+?)(?:\s+(\S+))?\s*;/m.exec(text) ?? [];
  if (groups.includes(group) || groups.includes(user)) return [];
  return [
    note({
      rule: 'nginx-account',
      found: `nginx runs as ${user}, group ${group}; the front socket is for ${groups.join(', ')}`,
      expected: 'an account that is in the group of the front socket',
      remedy: `put ${user} into that group, or name nginx's own in [front] sockets and in usherd.socket`,
    }),
  ];
}

const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  '': 1_000,
};
/** What nginx waits where nothing is said. */
const DEFAULT_READ_TIMEOUT = '60s';

function timeouts(text: string, silenceMs: number): readonly Symptom[] {
  const said = [...text.matchAll(/^\s*fastcgi_read_timeout\s+(\d+(?:ms|s|m|h)?)\s*;/gm)];
  const values = said.length === 0 ? [DEFAULT_READ_TIMEOUT] : said.map(([, value = '']) => value);
  const short = values.find((value) => msOf(value) < silenceMs);
  if (short === undefined) return [];
  return [
    note({
      rule: 'nginx-timeout',
      found: `fastcgi_read_timeout ${short}, and first_byte_timeout or silence_timeout is ${silenceMs / 1_000} s`,
      expected: 'nginx waits longer than usherd, whose answer says what took so long',
      remedy: `fastcgi_read_timeout ${patienceS(silenceMs)}s; beside fastcgi_pass, then systemctl reload nginx`,
    }),
  ];
}

function msOf(value: string): number {
  const [, amount = '0', unit = ''] = /^(\d+)([a-z]*)$/.exec(value) ?? [];
  return Number(amount) * (UNITS_MS[unit] ?? 0);
}

function links(text: string): readonly Symptom[] {
  if (/^\s*disable_symlinks\s+(?:on|if_not_owner)\b/m.test(text)) return [];
  return [
    wrong({
      rule: 'nginx-symlinks',
      found: 'nginx follows the links of users wherever they lead',
      expected:
        'disable_symlinks if_not_owner: else a link publishes what the user himself may not read, but nginx may',
      remedy:
        'disable_symlinks if_not_owner; where files of users are served, then systemctl reload nginx',
    }),
  ];
}
