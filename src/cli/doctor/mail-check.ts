// Whether applications can send mail by a program that needs set-id bits: the configuration and the unit both have to let it.
import { readFile, realpath, stat } from 'node:fs/promises';
import type { Config } from '../../config/index.js';
import { note, type Check, type Symptom } from './diagnosis.js';
import { servicePid } from './service-checks.js';

/** Setting ids on execution is what no_new_privileges takes away. */
const SETS_IDS = 0o6000;
const MAIL_PROGRAMS = ['/usr/sbin/sendmail', '/usr/sbin/postdrop', '/usr/sbin/exim4'] as const;

export interface MailProgram {
  readonly path: string;
  readonly mode: number;
}

export const mail: Check = {
  name: 'mail() and sendmail',
  async run({ config }) {
    const pid = await servicePid('supervisor');
    const status =
      pid === undefined ? '' : await readFile(`/proc/${pid}/status`, 'latin1').catch(() => '');
    return judgeMail(await programWithBits(), config, /^NoNewPrivs:\s+1$/m.test(status));
  },
};

async function programWithBits(): Promise<MailProgram | undefined> {
  for (const program of MAIL_PROGRAMS) {
    const path = await realpath(program).catch(() => undefined);
    const stats = path === undefined ? undefined : await stat(path).catch(() => undefined);
    if (stats !== undefined && (stats.mode & SETS_IDS) !== 0) {
      return { path: program, mode: stats.mode };
    }
  }
  return undefined;
}

const UNIT =
  'NoNewPrivileges=no in usherd.service (systemctl edit usherd.service), and systemctl restart usherd';

/** @param isSealed the supervisor itself can gain nothing, and so nothing that it starts */
export function judgeMail(
  program: MailProgram | undefined,
  { identity, users }: Pick<Config, 'identity' | 'users'>,
  isSealed: boolean,
): readonly Symptom[] {
  if (program === undefined) return [];
  const { path, mode } = program;
  const bits = `it needs its set-id bits (mode ${(mode & 0o7777).toString(8).padStart(4, '0')})`;
  const mayGain = [identity, ...users.values()].some(({ noNewPrivileges }) => !noNewPrivileges);
  if (!mayGain) {
    return [
      note({
        rule: 'mail-privileges',
        path,
        found: `${bits}, and workers run with no_new_privileges: mail() in PHP fails`,
        expected: 'a way to send mail that needs no privileges, or users who may have them',
        remedy: `let applications send over SMTP to localhost (msmtp as sendmail_path), or \`no_new_privileges = false\` for the users who need sendmail${isSealed ? `, with ${UNIT}` : ''}`,
      }),
    ];
  }
  if (!isSealed) return [];
  return [
    note({
      rule: 'mail-unit',
      path,
      found: `${bits}; \`no_new_privileges = false\` lets it, but the supervisor was started without them and hands that down: mail() in PHP fails`,
      expected:
        'a supervisor that was not started with NoNewPrivileges=yes, as the shipped unit is',
      remedy: UNIT,
    }),
  ];
}
