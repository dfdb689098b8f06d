// What a test run left behind: processes of this checkout, and files in the temporary directory that the run was given.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { ROOT } from './run.mjs';

const attempt = (read) => {
  try {
    return read();
  } catch {
    return ''; // gone meanwhile, or not ours to look at
  }
};

const pids = () => readdirSync('/proc').filter((name) => /^\d+$/.test(name));

/** Start time in ticks: with the pid it names a process for good (proc(5), field 22). */
const startOf = (pid) =>
  attempt(() => readFileSync(`/proc/${pid}/stat`, 'latin1'))
    .replace(/^.*\) /s, '')
    .split(' ')[19];

/** Every process now, to tell what was there before the run from what it left. */
export const processesNow = () => new Set(pids().map((pid) => `${pid} ${startOf(pid)}`));

/** Processes younger than `before` that run this checkout's program, or run in or on the run's temporary directory. */
export function leakedProcesses(before, temporaryDirectory) {
  const isOurs = (text) => text.includes(`${ROOT}/dist/`) || text.includes(temporaryDirectory);
  const found = [];
  for (const pid of pids()) {
    if (before.has(`${pid} ${startOf(pid)}`) || Number(pid) === process.pid) continue;
    const command = attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'latin1')).replaceAll(
      '\0',
      ' ',
    );
    const directory = attempt(() => readlinkSync(`/proc/${pid}/cwd`));
    const inDist = directory.startsWith(ROOT) && /(^| )(\.\/)?dist\//.test(command);
    if (command !== '' && (isOurs(command) || isOurs(`${directory}/`) || inDist)) {
      found.push(`process ${pid}: ${command.trim()}`);
    }
  }
  return found;
}

export const leakedFiles = (temporaryDirectory) =>
  readdirSync(temporaryDirectory).map((name) => `file ${temporaryDirectory}/${name}`);
