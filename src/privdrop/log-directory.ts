// The directory of one user's logs: the router's to write, the user's group to read. Made by a process that is both and never was anything more.
import { spawn, type SpawnOptions } from 'node:child_process';
import { bareOptions } from './bare-options.js';
import { setprivArgv } from './chain.js';
import type { Tools } from './tools.js';

/**
 * chown(2) and DAC capabilities are not needed for it: the owner of a directory may give it to a group that he is in,
 * and this process is the router's account in the user's group. The name comes on descriptor 0, so that the arguments
 * are constants and numbers.
 */
const SCRIPT = `
PATH=/usr/bin:/bin
IFS= read -r directory || exit 1
exec install -d -m 0750 -g "$1" -- "$directory"
`;

export interface LogDirectory {
  readonly path: string;
  readonly router: { readonly uid: number; readonly gid: number };
  /** Who may read. */
  readonly gid: number;
}

/** Whether it went well is for the caller to see at the directory: an exit code proves nothing. Settles when the process is gone. */
export function makeLogDirectory(
  { path, router, gid }: LogDirectory,
  tools: Tools,
  signal: AbortSignal,
): Promise<void> {
  const plan = {
    mode: 'root',
    uid: router.uid,
    gid,
    groups: [router.gid],
    noNewPrivileges: true,
    mark: 0,
    rlimits: { files: 0, processes: 0, fileBytes: 0 },
  } as const;
  const script = [tools.sh, '-c', SCRIPT, 'logs', String(gid)];
  const [file = '', ...args] = [...setprivArgv(plan, tools), ...script];
  const options = bareOptions<SpawnOptions>({
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    signal,
    killSignal: 'SIGKILL',
  });
  return new Promise((resolve) => {
    const child = spawn(file, args, options);
    child.stdin?.on('error', () => undefined); // it ended before it had read: the directory tells
    child.stdin?.end(`${path}\n`);
    child.on('error', () => {
      if (child.pid === undefined) resolve();
    });
    child.on('close', () => resolve());
  });
}
