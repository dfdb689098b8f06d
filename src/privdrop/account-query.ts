// Asking the account database, in a process that has nothing to lose: name services run foreign code and may hang.
import { spawn, type SpawnOptions } from 'node:child_process';
import { LIMITS } from '../limits.js';
import { bareOptions } from './bare-options.js';
import { setprivArgv } from './chain.js';
import type { Mode } from './identity.js';
import type { DropPlan } from './plan.js';
import type { Tools } from './tools.js';

export interface Answer {
  readonly exitCode: number;
  readonly output: string;
}

/** getent(1) and id(1): asked and found nothing. */
export const NOT_FOUND = { getent: 2, id: 1 } as const;

const NOBODY = 65_534;

/** Whoever asks; in self mode there is nothing to drop. */
const inquirer = (mode: Mode): DropPlan => ({
  mode,
  uid: NOBODY,
  gid: NOBODY,
  groups: [],
  noNewPrivileges: true,
  mark: 0,
  rlimits: { files: LIMITS.workerFilesMaxCount, processes: 0, fileBytes: 0 },
});

export interface Query {
  readonly mode: Mode;
  readonly tools: Tools;
  /** Constants, and names that have passed the rule for names. */
  readonly argv: readonly string[];
  /** Kills the process; what waits for the answer gives up by itself. */
  readonly signal: AbortSignal;
}

/** Undefined if it was killed, failed to start or said too much; settles only when the process is gone. */
export function ask(query: Query): Promise<Answer | undefined> {
  const { mode, tools, argv, signal } = query;
  const [file = '', ...args] = [...setprivArgv(inquirer(mode), tools), ...argv];
  const options = bareOptions<SpawnOptions>({
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
    signal,
    killSignal: 'SIGKILL',
  });
  return new Promise((resolve) => {
    const child = spawn(file, args, options);
    const chunks: Buffer[] = [];
    let bytes = 0;
    child.stdout?.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > LIMITS.accountLookupOutputMaxBytes) child.kill('SIGKILL');
      else chunks.push(chunk);
    });
    child.on('error', () => {
      // It could not be started, or was told to end; in the second case `close` comes, too.
      if (child.pid === undefined) resolve(undefined);
    });
    child.on('close', (exitCode) => {
      const isWhole = exitCode !== null && bytes <= LIMITS.accountLookupOutputMaxBytes;
      const output = Buffer.concat(chunks).toString('utf8');
      resolve(isWhole ? { exitCode, output } : undefined);
    });
  });
}
