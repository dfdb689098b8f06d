// Whether this machine can isolate applications, and which setting is in the way where it cannot.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bubblewrapFinding } from '../../spawner/lean.js';
import { runTool } from '../system-tools.js';
import { note, wrong, type Check, type Patient, type Symptom } from './diagnosis.js';

/** Switches of kernels and distributions that take user namespaces away from ordinary users. */
const SWITCHES = [
  {
    name: 'kernel.unprivileged_userns_clone', // Debian, and kernels with its patch
    isOff: (value: number): boolean => value === 0,
    wanted: 'kernel.unprivileged_userns_clone=1',
  },
  {
    name: 'user.max_user_namespaces',
    isOff: (value: number): boolean => value === 0,
    wanted: 'user.max_user_namespaces=15000',
  },
  {
    name: 'kernel.apparmor_restrict_unprivileged_userns', // Ubuntu since 23.10
    isOff: (value: number): boolean => value !== 0,
    wanted: undefined, // a profile for bubblewrap is better than the switch
  },
] as const;

const PROFILE_REMEDY =
  'apt-get install apparmor-profiles && ln -s /usr/share/apparmor/extra-profiles/bwrap-userns-restrict /etc/apparmor.d/ && systemctl reload apparmor';

async function switchSymptoms(): Promise<readonly Symptom[]> {
  const found = await Promise.all(
    SWITCHES.map(async ({ name, isOff, wanted }) => {
      const path = `/proc/sys/${name.replaceAll('.', '/')}`;
      const text = (await readFile(path, 'latin1').catch(() => '')).trim();
      if (text === '' || !isOff(Number(text))) return [];
      const remedy =
        wanted === undefined
          ? PROFILE_REMEDY
          : `echo ${wanted} >> /etc/sysctl.d/60-usherd.conf && sysctl --system`;
      const expected = 'user namespaces for ordinary users, which isolated applications need';
      // With a profile for bubblewrap the third one is as it should be.
      const weigh = wanted === undefined ? note : wrong;
      return [
        weigh({ rule: 'isolation-kernel', path, found: `${name} = ${text}`, expected, remedy }),
      ];
    }),
  );
  return found.flat();
}

const SYSTEMCTL = '/usr/bin/systemctl';
const SYSTEMCTL_DEADLINE_MS = 5_000;
const DROP_IN = fileURLToPath(
  new URL('../../../../conf.example/systemd/usherd-isolation.conf', import.meta.url),
);

/** The shipped unit takes namespaces from everybody in it; a drop-in of ours gives back what walls need. */
async function unitSymptoms({ status }: Patient): Promise<readonly Symptom[]> {
  if (status === undefined) return [];
  const { exitCode, stdout } = await runTool(
    SYSTEMCTL,
    ['show', 'usherd.service', '-p', 'ActiveState,RestrictNamespaces,ProtectKernelTunables'],
    SYSTEMCTL_DEADLINE_MS,
  ).catch(() => ({ exitCode: 1, stdout: '' }));
  if (exitCode !== 0 || !stdout.includes('ActiveState=active')) return [];
  const isOpen = !/^(RestrictNamespaces|ProtectKernelTunables)=yes$/m.test(stdout);
  if (isOpen) return [];
  return [
    wrong({
      rule: 'isolation-unit',
      path: 'usherd.service',
      found: stdout.trim().split('\n').join(', '),
      expected: 'a unit whose processes may make namespaces and mount /proc in them',
      remedy: `install -D -m 644 ${DROP_IN} /etc/systemd/system/usherd.service.d/isolation.conf && systemctl daemon-reload && systemctl restart usherd`,
    }),
  ];
}

/** Applications may ask for it themselves, so a machine that cannot is worth a note everywhere. */
export const isolation: Check = {
  name: 'isolation of applications',
  async run(patient) {
    const { config } = patient;
    const isAsked =
      config.isolation.mode === 'strict' ||
      [...config.users.values()].some((user) => user.isolation === 'strict');
    const program = bubblewrapFinding();
    const symptoms = [
      ...(program === undefined ? [] : [wrong(program)]),
      ...(await switchSymptoms()),
      ...(await unitSymptoms(patient)),
    ];
    if (isAsked || symptoms.length === 0) return symptoms;
    const [first] = symptoms;
    return first === undefined
      ? []
      : [
          {
            ...first,
            weight: 'note',
            found: `${first.found}; nobody asks for it in the configuration, and an application that does is answered with 503 isolation-failed`,
          },
        ];
  },
};
