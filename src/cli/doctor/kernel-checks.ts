// Settings of the kernel that keep users apart where file modes do not.
import { readFile } from 'node:fs/promises';
import { note, type Check } from './diagnosis.js';

interface Setting {
  readonly name: string;
  readonly min: number;
  readonly why: string;
}

const SETTINGS: readonly Setting[] = [
  { name: 'fs.protected_symlinks', min: 1, why: 'links in /tmp lead programs of others astray' },
  {
    name: 'fs.protected_hardlinks',
    min: 1,
    why: 'a user links files of others into his own directory',
  },
  { name: 'fs.protected_fifos', min: 1, why: 'a user waits in /tmp for the writing of others' },
  { name: 'fs.protected_regular', min: 1, why: 'a user waits in /tmp for the writing of others' },
  {
    name: 'kernel.yama.ptrace_scope',
    min: 1,
    why: 'a worker of a user looks into his other workers',
  },
];

export const kernel: Check = {
  name: 'kernel',
  async run() {
    const found = await Promise.all(
      SETTINGS.map(async ({ name, min, why }) => {
        const path = `/proc/sys/${name.replaceAll('.', '/')}`;
        const text = await readFile(path, 'latin1').catch(() => undefined);
        if (text === undefined || Number(text) >= min) return [];
        return [
          note({
            rule: 'kernel-setting',
            path,
            found: `${name} = ${text.trim()}: ${why}`,
            expected: `${name} = ${min} or more`,
            remedy: `echo ${name}=${min} >> /etc/sysctl.d/60-usherd.conf && sysctl --system`,
          }),
        ];
      }),
    );
    return found.flat();
  },
};
