// Whether usherd itself runs, and whether the web server gets through to it.
import { readdir, readFile } from 'node:fs/promises';
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isUsherdError } from '../../errors.js';
import { isListenedOn } from '../../ipc/index.js';
import { numberOf, tableOf, textOf, textsIn } from '../answer-fields.js';
import { controlSocketOf } from '../control-client.js';
import type { ServiceName } from '../node-flags.js';
import { isReachable } from '../reachable.js';
import { serviceIds } from '../service-ids.js';
import { findTool, runTool } from '../system-tools.js';
import { note, wrong, type Check, type Patient, type Symptom } from './diagnosis.js';

const MAIN = fileURLToPath(new URL('../../main.js', import.meta.url));
const NOBODY = 65_534;

export const accounts: Check = {
  name: 'accounts',
  async run({ config, isRoot }) {
    if (!isRoot) return undefined;
    try {
      await serviceIds(config);
      return [];
    } catch (err) {
      if (!isUsherdError(err)) throw err;
      return err.findings.map(wrong);
    }
  },
};

export const supervisor: Check = {
  name: 'supervisor',
  async run({ status, isRoot, config }) {
    if (status !== undefined) return [];
    if ((await isListenedOn(controlSocketOf(config))) === true) return [hanging];
    const symptom = isRoot
      ? wrong({
          rule: 'supervisor-away',
          found: 'no supervisor answers',
          expected: 'usherd.service (or `usherd run`) to be running',
          remedy:
            'systemctl enable --now usherd.socket usherd.service usherd-router.service; journalctl -u usherd -n 50',
        })
      : note({
          rule: 'not-root',
          found: 'only root may ask the supervisor, so most of it is not looked at',
          expected: 'root, or whoever runs usherd himself',
          remedy: 'sudo usherd doctor',
        });
    return [symptom];
  },
};

const hanging = wrong({
  rule: 'supervisor-hangs',
  found: 'the supervisor is there and does not answer',
  expected: 'an answer within seconds',
  remedy: 'systemctl restart usherd; journalctl -u usherd -n 50',
});

export const router: Check = {
  name: 'router',
  run({ status }) {
    if (status === undefined) return Promise.resolve(undefined);
    const { answered, foreignProtocol } = tableOf(status['router']);
    if (numberOf(foreignProtocol) > 0) return Promise.resolve([twoVersions]);
    if (answered === true) return Promise.resolve([]);
    const symptom = wrong({
      rule: 'router-away',
      found: 'the router is not connected to the supervisor, or does not answer it',
      expected: 'usherd-router.service to be running',
      remedy: 'systemctl restart usherd-router; journalctl -u usherd-router -n 50',
    });
    return Promise.resolve([symptom]);
  },
};

const twoVersions = wrong({
  rule: 'router-version',
  found: 'router and supervisor are of two versions that do not understand each other',
  expected: 'both of the installed version; until then every request is answered with 503',
  remedy: 'systemctl restart usherd',
});

/** Asks the router in a process that is what the web server is: some account in the socket's group. */
export const frontSockets: Check = {
  name: 'front sockets, as the web server reaches them',
  async run(patient) {
    // Not for an account that is no web server's.
    if (!patient.isRoot && patient.status === undefined) return undefined;
    const symptoms: Symptom[] = [];
    for (const { path, group } of patient.config.front.sockets) {
      const complaint = await askAsGroup(patient, path, group);
      if (complaint === undefined) continue;
      symptoms.push(
        wrong({
          rule: 'front-socket',
          path,
          found: complaint.replace(`${path}: `, ''), // doctor names it itself
          expected: `an answer of the router to a process in the group ${group}`,
          remedy: `namei -l ${path} shows owners and modes; the router makes the socket when it starts: systemctl restart usherd-router`,
        }),
      );
    }
    return symptoms;
  },
};

/** Undefined if all is well, or if it cannot be tried. */
async function askAsGroup(
  { isRoot }: Patient,
  path: string,
  group: string,
): Promise<string | undefined> {
  const node = realpathSync(process.execPath);
  const question = [node, MAIN, 'ready', 'router', '--socket', path, '--timeout', '2s'];
  // From a checkout in somebody's private directory nobody else can start it.
  const isForAll = isReachable(MAIN) && isReachable(node);
  if (!isRoot || !isForAll) return complaintOf(question);
  const [setpriv, getent] = [await findTool('setpriv'), await findTool('getent')];
  if (setpriv === undefined || getent === undefined) return undefined;
  const { stdout } = await runTool(getent, ['group', '--', group]);
  const gid = stdout.split(':')[2] ?? '';
  if (!/^[1-9]\d{0,9}$/.test(gid)) return undefined; // told by the check of accounts
  const drop = [`--reuid=${NOBODY}`, `--regid=${gid}`, '--clear-groups', '--inh-caps=-all'];
  return complaintOf([setpriv, ...drop, '--no-new-privs', '--', ...question]);
}

async function complaintOf([file = '', ...args]: readonly string[]): Promise<string | undefined> {
  const { exitCode, stderr } = await runTool(file, args, QUESTION_DEADLINE_MS);
  if (exitCode === 0) return undefined;
  const [text = ''] = stderr.split('\n');
  const line = text.replace(/^usherd: .*? \(E_[A-Z_]+\): /, ''); // what the error is called says nothing here
  return line === '' ? 'no answer' : line.replace(/[^\x20-\x7e]/g, '?').slice(0, 200);
}

const QUESTION_DEADLINE_MS = 10_000;

export const cgroups: Check = {
  name: 'cgroups',
  run({ status }) {
    const cgroup = tableOf(tableOf(status?.['isolation'])['cgroup']);
    if (status === undefined || status['mode'] === 'self') return Promise.resolve(undefined);
    if (textOf(cgroup['path']) === '') {
      const symptom = note({
        rule: 'cgroup-missing',
        found: 'no cgroup for the workers',
        expected:
          'a delegated cgroup v2, so that memory_max and pids_max hold for all processes of a user',
        remedy:
          'boot with cgroup v2 (systemd.unified_cgroup_hierarchy=1) and start usherd.service, which has Delegate=yes',
      });
      return Promise.resolve([symptom]);
    }
    const missing = ['memory', 'pids'].filter(
      (name) => !textsIn(cgroup['controllers']).includes(name),
    );
    const symptoms = missing.map((name) =>
      note({
        rule: 'cgroup-controller',
        path: textOf(cgroup['path']),
        found: `no ${name} controller`,
        expected: `the ${name} controller, for ${name}_max`,
        remedy: `Delegate=yes in usherd.service; cat /sys/fs/cgroup/cgroup.controllers shows what the kernel has`,
      }),
    );
    return Promise.resolve(symptoms);
  },
};

/** A connection costs a descriptor on either side of the router, a spool file one more. */
const DESCRIPTORS_PER_WORKER = 2;

export const descriptors: Check = {
  name: 'descriptors of the router',
  async run({ config, status }) {
    const pid = await servicePid('router');
    if (pid === undefined) return undefined;
    const limits = await readFile(`/proc/${pid}/limits`, 'latin1').catch(() => '');
    const soft = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Infinity);
    const maxWorkers = numberOf(tableOf(status?.['limits'])['maxWorkers']);
    const wanted = config.front.connectionsMax + DESCRIPTORS_PER_WORKER * maxWorkers;
    if (soft >= wanted) return [];
    return [
      note({
        rule: 'router-descriptors',
        found: `the router may have ${soft} descriptors`,
        expected: `at least ${wanted}: connections_max ${config.front.connectionsMax} and two for each of ${maxWorkers} workers`,
        remedy: `LimitNOFILE=${wanted + 1_024} in usherd-router.service, or a lower connections_max in [front]`,
      }),
    ];
  },
};

/** The process that was started as `main.js router`, or its like, by whoever starts it. */
export async function servicePid(name: ServiceName): Promise<string | undefined> {
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const argv = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '');
    const words = argv.split('\0');
    const at = words.indexOf(MAIN);
    if (at > 0 && words[at + 1] === name) return pid;
  }
  return undefined;
}
