// Where a command of `usherd run-as` sits: never at the caller's terminal, but where that is one, at a terminal of its own.
//
//   root's terminal ◄──► run-as (raw, passes bytes on) ◄── pipes ──► script(1), the user ◄── pty ──► the command
//
// A process that holds root's terminal can read what root types there next, and can push characters into it where it is its
// controlling one (TIOCSTI). So a descriptor that is a terminal is not handed on; script(1), which is the user already, makes
// the pty. Descriptors that are files or pipes go to the command as they are.
import { spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { LIMITS } from '../limits.js';
import { checkTool } from '../privdrop/index.js';
import type { Descriptors } from '../spawner/lean.js';
import { execLine } from './shell-words.js';
import { complain } from './terminal.js';

const SCRIPT = '/usr/bin/script';
const TERM = /^[A-Za-z0-9._+-]{1,64}$/;

/** The shell looks the program up in the worker's PATH, as the user. */
const PLAIN = 'eval "$1"';

/** script(1) has its command run by $SHELL, which may be /usr/sbin/nologin; the command has its own again. */
const AT_A_TERMINAL = `export TERM="$2"; line="SHELL='$SHELL'; $1"; SHELL=/bin/sh exec ${SCRIPT} -qe -E always -c "$line" /dev/null`;

export interface Seat {
  readonly descriptors: Descriptors;
  /** argv of what the launcher execs for this command. */
  argv(command: readonly string[]): readonly string[];
  /** From now on bytes go to and fro; settles nothing. */
  attach(child: ChildProcess): void;
  /** The caller's terminal is as it was. */
  leave(): void;
}

/** By what the caller's own descriptors are. */
export function takeSeat(): Seat {
  const isTerminal = [process.stdin.isTTY, process.stdout.isTTY, process.stderr.isTTY].map(Boolean);
  const descriptors = [0, 1, 2].map((fd) => (isTerminal[fd] === true ? 'pipe' : fd));
  const isInteractive = isTerminal.every(Boolean) && hasScript();
  const { rows, columns } = process.stdout;
  return {
    descriptors: descriptors as unknown as Descriptors,
    argv: (command) =>
      isInteractive
        ? terminalArgv(command, { rows, columns })
        : ['/bin/sh', '-c', PLAIN, 'run-as', execLine(command)],
    attach: (child) => attach(child, isInteractive),
    leave: () => {
      if (isInteractive) process.stdin.setRawMode(false);
      process.stdin.unpipe();
      process.stdin.pause();
    },
  };
}

function terminalArgv(
  command: readonly string[],
  { rows, columns }: { readonly rows: number; readonly columns: number },
): readonly string[] {
  const line = `stty rows ${rows} cols ${columns}; ${execLine(command)}`;
  const term = TERM.exec(process.env['TERM'] ?? '')?.[0] ?? 'dumb';
  return ['/bin/sh', '-c', AT_A_TERMINAL, 'run-as', line, term];
}

function attach(child: ChildProcess, isRaw: boolean): void {
  if (child.stdin !== null) {
    child.stdin.on('error', () => undefined); // it reads no more
    if (isRaw) process.stdin.setRawMode(true);
    process.stdin.pipe(child.stdin);
  }
  child.stdout?.pipe(process.stdout, { end: false });
  child.stderr?.pipe(process.stderr, { end: false });
}

/** util-linux 2.35 or newer: without --echo nobody would see what he types. */
function hasScript(): boolean {
  if (existsSync(SCRIPT) && checkTool(SCRIPT) === undefined) {
    const { stdout } = spawnSync(SCRIPT, ['--help'], {
      encoding: 'utf8',
      timeout: LIMITS.toolHelpDeadlineMs,
    });
    if (stdout.includes('--echo')) return true;
  }
  complain(
    'usherd run-as: without job control; script(1) is missing or too old (Debian: bsdutils)',
  );
  return false;
}
