// Directories, programs and the disk: whether everything is where it should be, and nobody else's.
import { lstat, readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { isUsherdError } from '../../errors.js';
import type { Ids } from '../child-argv.js';
import { planDirectories, type PlannedDirectory } from '../directory-plan.js';
import { serviceIds } from '../service-ids.js';
import { note, wrong, type Check, type Patient, type Symptom } from './diagnosis.js';

const octal = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, '0');

const ids = async ({ config, isRoot }: Patient): Promise<Ids | undefined> =>
  isRoot
    ? serviceIds(config).catch((err: unknown) => {
        if (isUsherdError(err)) return undefined; // told by the check of accounts
        throw err;
      })
    : undefined;

export const directories: Check = {
  name: 'directories',
  async run(patient) {
    const known = await ids(patient);
    if (known === undefined || patient.status === undefined) return undefined;
    const found = await Promise.all(planDirectories(patient.config, known).map(judgeDirectory));
    return found.flat();
  },
};

async function judgeDirectory(planned: PlannedDirectory): Promise<readonly Symptom[]> {
  const { path, uid, gid, mode } = planned;
  const stats = await lstat(path).catch(() => undefined);
  const expected = `a directory of uid ${uid}, gid ${gid}, mode ${octal(mode)}`;
  if (stats === undefined) {
    const remedy = 'systemd-tmpfiles --create; or start usherd anew, which makes it';
    return [wrong({ rule: 'directory-missing', path, found: 'nothing', expected, remedy })];
  }
  const isRight =
    stats.isDirectory() &&
    stats.uid === uid &&
    stats.gid === gid &&
    octal(stats.mode) === octal(mode);
  if (isRight) return [];
  const found = `uid ${stats.uid}, gid ${stats.gid}, mode ${octal(stats.mode)}`;
  const remedy = `chown ${uid}:${gid} ${path} && chmod ${octal(mode)} ${path}`;
  return [wrong({ rule: 'directory-mode', path, found, expected, remedy })];
}

/** Users whose primary group is shared cannot read their logs: the group would let others in. */
export const logReaders: Check = {
  name: 'log directories of users',
  async run(patient) {
    const known = await ids(patient);
    const { log } = patient.config.paths;
    if (known === undefined) return undefined;
    const users = await readdir(log).catch(() => []);
    const symptoms: Symptom[] = [];
    for (const user of users) {
      const stats = await lstat(join(log, user)).catch(() => undefined);
      if (stats?.isDirectory() !== true || stats.gid !== known.routerGid) continue;
      symptoms.push(
        note({
          rule: 'log-group',
          path: join(log, user),
          found: `${user} cannot read the logs of his applications: his primary group is shared with others`,
          expected: 'a primary group of his own, of his own name',
          remedy: `groupadd ${user} && usermod -g ${user} ${user} (then chgrp what he owns), or hand him \`usherd logs\``,
        }),
      );
    }
    return symptoms;
  },
};

export const programs: Check = {
  name: 'programs of runtimes',
  async run({ config }) {
    const symptoms: Symptom[] = [];
    for (const { name, command, debianPackage } of config.runtimes.values()) {
      const [program = ''] = command;
      if (!program.startsWith('/') || (await stat(program).catch(() => undefined)) !== undefined) {
        continue;
      }
      symptoms.push(
        note({
          rule: 'runtime-program',
          path: program,
          found: `not there: applications of the runtime ${name} are answered with 503 runtime-missing`,
          expected: 'the program, if somebody uses this runtime',
          remedy:
            debianPackage === ''
              ? `install it, or correct command in [runtimes.${name}]`
              : `apt-get install ${debianPackage}`,
        }),
      );
    }
    return symptoms;
  },
};

const FREE_MIN_SHARE = 0.05;

export const disk: Check = {
  name: 'disk',
  async run({ config }) {
    const symptoms: Symptom[] = [];
    for (const path of [config.paths.log, config.paths.state]) {
      const fs = await statfs(path).catch(() => undefined);
      if (fs === undefined || fs.blocks === 0 || fs.bavail / fs.blocks >= FREE_MIN_SHARE) continue;
      symptoms.push(
        wrong({
          rule: 'disk-full',
          path,
          found: `${Math.round((100 * fs.bavail) / fs.blocks)} % of the file system are free`,
          expected: 'room for logs and request bodies',
          remedy: `df -h ${path}; du -xsh ${path}/* | sort -h`,
        }),
      );
    }
    return symptoms;
  },
};
