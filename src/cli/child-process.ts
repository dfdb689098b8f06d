// Starts a real child for a ChildKeeper: nothing inherited but stdout and stderr, a session of its own.
import { spawn, type SpawnOptions } from 'node:child_process';
import { ExitCode } from '../errors.js';
import type { Child, ChildExit } from './child-keeper.js';

/** All that a service needs of an environment; locale and time zone come from the system's files. */
const ENVIRONMENT = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LANG: 'C.UTF-8',
};

/** Like the options of every spawn: no prototype, so that nothing can be added from outside. */
const optionsWith = (environment: Readonly<Record<string, string>>): SpawnOptions =>
  Object.assign(Object.create(null) as SpawnOptions, {
    cwd: '/',
    env: Object.assign(Object.create(null) as NodeJS.ProcessEnv, ENVIRONMENT, environment),
    stdio: ['ignore', 'inherit', 'inherit'],
    // A session of its own: Ctrl-C in a terminal reaches only `usherd run`, which stops its children in order.
    detached: true,
    shell: false,
  } satisfies SpawnOptions);

export function startChild(
  [file = '', ...args]: readonly string[],
  onExit: (exit: ChildExit) => void,
  environment: Readonly<Record<string, string>> = {},
): Child {
  const child = spawn(file, args, optionsWith(environment));
  let isOver = false;
  const end = (exit: ChildExit): void => {
    if (!isOver) onExit(exit);
    isOver = true;
  };
  child.once('exit', (code, signal) => {
    if (signal === null) end({ by: 'code', code: code ?? ExitCode.TEMPORARY, signal: '' });
    else end({ by: 'signal', code: 0, signal });
  });
  // Could not be started at all: then there is no `exit`.
  child.once('error', () => {
    if (child.pid === undefined) end({ by: 'code', code: ExitCode.TEMPORARY, signal: '' });
  });
  const signal = (name: NodeJS.Signals): void => {
    // Without a pid kill() would take one from memory that nobody has set (node 20): a stranger's, or 0, our own group.
    if (child.pid !== undefined) child.kill(name);
  };
  return { pid: child.pid, signal };
}
